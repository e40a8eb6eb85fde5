import { z } from 'zod';
import type { KubeClient } from '../../kube/client.ts';
import { ApiError } from '../../kube/errors.ts';
import { FLEET_API_VERSION } from '../../kube/kinds/common.ts';
import { parseFleetGitRepo, parseFleetImageScan } from '../../kube/kinds/fleet.ts';
import type { GitRepo } from '../../kube/kinds/git-repo.ts';
import type { ImageScan } from '../../kube/kinds/image-scan.ts';
import { FLEET_GIT_REPOS, FLEET_IMAGE_SCANS, type ObjectPath, urlPath } from '../../kube/resource.ts';
import type { Named } from '../e2e/reconciling.ts';
import { waitFor } from '../wait.ts';

// Fleet's objects as `fleet apply` and Fleet's controllers make and write them.

/** An object of Fleet's, as it is applied. */
export interface FleetObject {
  readonly apiVersion: string;
  readonly kind: 'ImageScan' | 'GitRepo';
  readonly metadata: Named & {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: object;
}

/** Which entry of which bundle's `imageScans:` an ImageScan of Fleet's is. */
export interface BundleEntry {
  readonly namespace: string;
  readonly gitRepo: string;
  /** The bundle's path in the repository; `.` for its root. */
  readonly path?: string;
  /** The place of the entry in the list. */
  readonly index?: number;
  /** The commit that was applied last: it is on a label, so every commit changes the object. */
  readonly commit?: string;
}

const FIRST_COMMIT = '1'.repeat(40);
const RESOURCES = { ImageScan: FLEET_IMAGE_SCANS, GitRepo: FLEET_GIT_REPOS } as const;

/** An ImageScan as `fleet apply` makes it of an entry: named by its place, with the labels of its bundle. */
export function fleetImageScan(entry: BundleEntry, spec: object): FleetObject {
  const { gitRepo, path = '.', commit = FIRST_COMMIT } = entry;
  return {
    apiVersion: FLEET_API_VERSION,
    kind: 'ImageScan',
    metadata: {
      ...fleetScanName(entry),
      labels: { 'fleet.cattle.io/repo-name': gitRepo, 'fleet.cattle.io/commit': commit },
      annotations: { 'fleet.cattle.io/bundle-path': path },
    },
    // What fleet.yaml does not say is written as Go's zero value.
    spec: { interval: '0s', policy: {}, ...spec, gitrepoName: gitRepo },
  };
}

/** Where {@link fleetImageScan} puts its object. */
export function fleetScanName({ namespace, gitRepo, path = '.', index = 0 }: BundleEntry): Named {
  const bundle = path === '.' ? gitRepo : `${gitRepo}-${path.replaceAll(/[^a-z0-9]+/g, '-')}`;
  return { namespace, name: `imagescan-${bundle}-${index}` };
}

export function fleetGitRepo(metadata: FleetObject['metadata'], spec: object): FleetObject {
  return { apiVersion: FLEET_API_VERSION, kind: 'GitRepo', metadata, spec };
}

/** Creates objects, or replaces their labels, annotations and spec as a whole, as Fleet's controllerutil.CreateOrUpdate does. */
export async function applyAsFleet(client: KubeClient, ...objects: readonly FleetObject[]): Promise<void> {
  for (const object of objects) {
    const { namespace, name } = object.metadata;
    const path = { resource: RESOURCES[object.kind], namespace, name };
    await untilNoConflict(async () => {
      const stored = await readRaw(client, path);
      if (stored === undefined) {
        await client.create({ resource: path.resource, namespace }, object);
        return;
      }
      const { labels = {}, annotations = {} } = object.metadata;
      await replace(client, path, {
        ...stored,
        metadata: { ...stored.metadata, labels, annotations },
        spec: object.spec,
      });
    });
  }
}

/** Deletes an object of Fleet's. */
export async function deleteFleet(
  client: KubeClient,
  kind: FleetObject['kind'],
  { namespace, name }: Named,
): Promise<void> {
  await client.delete({ resource: RESOURCES[kind], namespace, name });
}

/**
 * Writes a whole status as Fleet's controllers do, whatever stands there: they take it from a snapshot and repeat a conflict with the
 * same content.
 */
export async function overwriteStatusAsFleet(
  client: KubeClient,
  kind: FleetObject['kind'],
  { namespace, name }: Named,
  status: object,
): Promise<void> {
  const path = { resource: RESOURCES[kind], namespace, name };
  await untilNoConflict(async () => {
    const stored = await readRaw(client, path);
    if (stored !== undefined)
      await replace(client, { ...path, subresource: 'status' }, { ...stored, status });
  });
}

/** The object's status, as it is stored. */
export async function fleetStatus(
  client: KubeClient,
  kind: FleetObject['kind'],
  { namespace, name }: Named,
): Promise<Readonly<Record<string, unknown>>> {
  return (await readRaw(client, { resource: RESOURCES[kind], namespace, name }))?.status ?? {};
}

export async function readFleetScan(client: KubeClient, { namespace, name }: Named): Promise<ImageScan> {
  return parseFleetImageScan(await client.get({ resource: FLEET_IMAGE_SCANS, namespace, name }));
}

export async function readFleetGitRepo(client: KubeClient, { namespace, name }: Named): Promise<GitRepo> {
  return parseFleetGitRepo(await client.get({ resource: FLEET_GIT_REPOS, namespace, name }));
}

/** Waits until an ImageScan of Fleet's is as wanted. */
export function untilFleetScan(
  client: KubeClient,
  named: Named,
  what: string,
  isWanted: (scan: ImageScan) => boolean,
): Promise<ImageScan> {
  return untilWanted(() => readFleetScan(client, named), named, what, isWanted);
}

/** Waits until a GitRepo of Fleet's is as wanted. */
export function untilFleetGitRepo(
  client: KubeClient,
  named: Named,
  what: string,
  isWanted: (repo: GitRepo) => boolean,
): Promise<GitRepo> {
  return untilWanted(() => readFleetGitRepo(client, named), named, what, isWanted);
}

/** A condition as `status`, or `status reason` where it has one: those of Fleet's know no generation. */
export function fleetCondition({ status }: Conditioned, type: string): string | undefined {
  const condition = status.conditions?.find((each) => each.type === type);
  return condition && [condition.status, condition.reason].filter(Boolean).join(' ');
}

type Conditioned = Pick<ImageScan, 'metadata'> & { readonly status: Pick<ImageScan['status'], 'conditions'> };

const rawObject = z.looseObject({
  metadata: z.looseObject({}),
  status: z.record(z.string(), z.unknown()).optional(),
});

async function readRaw(client: KubeClient, path: ObjectPath): Promise<z.infer<typeof rawObject> | undefined> {
  try {
    return rawObject.parse(await client.get(path));
  } catch (error) {
    if (error instanceof ApiError && error.code === 'NotFound') return undefined;
    throw error;
  }
}

/** The message of a condition; the empty text where there is none. */
export function fleetMessage({ status }: Conditioned, type: string): string {
  return status.conditions?.find((each) => each.type === type)?.message ?? '';
}

/** An update, which the client has not: we write by patches only. */
async function replace(client: KubeClient, path: ObjectPath, object: object): Promise<void> {
  const { status, body } = await client.raw('PUT', urlPath(path), {
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(object),
  });
  if (status === 409) throw new ApiError('Conflict', body, { status });
  if (status !== 200) throw new Error(`PUT ${urlPath(path)} gave ${status}: ${body}`);
}

/** Writes until no other writer came in between: Fleet's controllers, too, repeat a conflict. */
async function untilNoConflict(write: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await write();
    } catch (error) {
      const isRace =
        error instanceof ApiError && (error.code === 'Conflict' || error.code === 'AlreadyExists');
      if (!isRace) throw error;
    }
  }
}

async function untilWanted<T extends Conditioned>(
  read: () => Promise<T>,
  { namespace, name }: Named,
  what: string,
  isWanted: (object: T) => boolean,
): Promise<T> {
  let last: T | undefined;
  try {
    return await waitFor(`Fleet's ${namespace}/${name} to have ${what}`, async () => {
      last = await read();
      return isWanted(last) ? last : undefined;
    });
  } catch (error) {
    throw new Error(`${String(error)}; it has ${JSON.stringify(last?.status)}`, { cause: error });
  }
}
