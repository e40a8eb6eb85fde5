import type { KubeClient } from '../../kube/client.ts';
import { OWN_GROUP } from '../../core/group.ts';
import { ApiError } from '../../kube/errors.ts';
import { carriedValue } from '../../kube/kinds/carried-value.ts';
import { type ImageScan, parseImageScan } from '../../kube/kinds/image-scan.ts';
import { GIT_REPO_KINDS, IMAGE_SCAN_KINDS } from '../../kube/kinds/served.ts';
import { IMAGE_SCANS } from '../../kube/resource.ts';
import type { Item } from './plan.ts';

/** By this name the API server remembers what is ours of an object. */
const FIELD_MANAGER = 'kubectl-fleetscan';
const KINDS = { ImageScan: IMAGE_SCAN_KINDS[OWN_GROUP], GitRepo: GIT_REPO_KINDS[OWN_GROUP] } as const;
const DRY_RUN = { dryRun: 'All' } as const;
const TRIES = 5;

/** What was done with an object. */
export type Verb = 'created' | 'configured' | 'unchanged';

/** An item that is no refusal. */
export type Work = Exclude<Item, { kind: 'refused' }>;

/**
 * Applies an object, and gives it the value in force of Fleet's unless it has one of its own by now. What somebody else wrote
 * since stays: no field is taken from another.
 *
 * @param dryRun the API server checks everything and stores nothing
 * @throws {ApiError} also 'Conflict', when somebody else wrote one of the fields
 */
export async function apply(client: KubeClient, work: Work, dryRun: boolean): Promise<Verb> {
  if (work.kind === 'carry')
    return (await carry(client, work.scan, work.former, dryRun)) ? 'configured' : 'unchanged';
  const { object, former, stored } = work;
  const { namespace, name } = object.metadata;
  const { resource, parse } = KINDS[object.kind];
  const query = { fieldManager: FIELD_MANAGER, ...(dryRun && DRY_RUN) };
  const raw = await client.patch({ resource, namespace, name }, object, 'apply', query);
  const isCarried = former !== undefined && (await carry(client, parseImageScan(raw), former, dryRun));
  if (stored === undefined) return 'created';
  return parse(raw).metadata.resourceVersion === stored && !isCarried ? 'unchanged' : 'configured';
}

/**
 * Writes the value in force where there is none.
 *
 * @returns whether something was written
 */
async function carry(
  client: KubeClient,
  scan: ImageScan,
  former: ImageScan,
  dryRun: boolean,
): Promise<boolean> {
  const status = carriedValue(former, new Date());
  if (status === undefined) return false;
  const { namespace, name } = scan.metadata;
  const path = { resource: IMAGE_SCANS, namespace, name };
  let current = scan;
  for (let attempt = 1; !current.status.latestTag; attempt++) {
    // An object that was not stored has no status to be checked.
    if (dryRun) return true;
    const { resourceVersion } = current.metadata;
    const body = { metadata: { resourceVersion }, status };
    try {
      await client.patch({ ...path, subresource: 'status' }, body, 'merge', { fieldManager: FIELD_MANAGER });
      return true;
    } catch (error) {
      if (!(error instanceof ApiError && error.code === 'Conflict') || attempt === TRIES) throw error;
    }
    current = parseImageScan(await client.get(path));
  }
  return false;
}
