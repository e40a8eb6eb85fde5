import { FLEET_GROUP, OWN_GROUP } from '../../../core/group.ts';
import { FLEET_API_VERSION } from '../../../kube/kinds/common.ts';
import { definedBy } from '../../../reconciler/definitions/defined.ts';
import type { Defined } from '../../../reconciler/definitions/definition.ts';
import type { DefinitionFile } from '../../../reconciler/definitions/files.ts';
import { type Owner, scanObject } from '../../../reconciler/definitions/object.ts';
import { planScans, type Operation } from '../../../reconciler/definitions/plan.ts';
import { parseStoredScan, type StoredScan } from '../../../reconciler/stores.ts';
import { readFleetScans } from '../../../write-back/fleet-yaml.ts';
import { mergePatch } from '../../fakes/merge-patch.ts';
import { DIGEST, gitRepo, imageScan } from '../samples.ts';

export const OWNER: Owner = gitRepo({ metadata: { uid: 'uid-of-apps' } });
export const FLEETS_OWNER: Owner = { ...OWNER, group: FLEET_GROUP };

/** What files of these texts define. */
export function define(texts: Readonly<Record<string, string>>): Defined {
  const files: DefinitionFile[] = Object.entries(texts).map(([path, text]) => ({
    path,
    content: { kind: 'read', ...readFleetScans(text) },
  }));
  return definedBy(files.toSorted((a, b) => (a.path < b.path ? -1 : 1)));
}

/** A file that defines scans of these tagNames. */
export function entries(...tagNames: readonly string[]): string {
  const lines = tagNames.map(
    (tagName) => `- {tagName: ${JSON.stringify(tagName)}, image: ghcr.io/acme/web}\n`,
  );
  return tagNames.length === 0 ? '' : `imageScans:\n${lines.join('')}`;
}

/** An ImageScan of Fleet's for the GitRepo, with a value in force or without. */
export function fleetScan(tagName: string, latestTag?: string): StoredScan {
  const status = { canonicalImageName: 'ghcr.io/acme/web', latestTag, latestDigest: DIGEST };
  return parseStoredScan(
    {
      apiVersion: FLEET_API_VERSION,
      kind: 'ImageScan',
      metadata: { namespace: 'team', name: `imagescan-apps-${tagName}` },
      spec: { image: 'ghcr.io/acme/web', tagName, gitrepoName: 'apps', interval: '0s' },
      ...(latestTag !== undefined && { status }),
    },
    FLEET_GROUP,
  );
}

/** An ImageScan of ours that somebody made. */
export function foreignScan(name: string, spec: object): StoredScan {
  return imageScan({ metadata: { name, uid: `uid-of-${name}` }, spec });
}

/** The ImageScans of a cluster after a plan was carried out, as the API server would have them. */
export function afterPlan(owner: Owner, defined: Defined, scans: readonly StoredScan[]): StoredScan[] {
  return planScans(owner, defined, scans).operations.reduce(
    (cluster, operation) => afterOperation(owner, cluster, operation),
    [...scans],
  );
}

function afterOperation(owner: Owner, scans: readonly StoredScan[], operation: Operation): StoredScan[] {
  switch (operation.kind) {
    case 'create': {
      const taken = new Set(scans.filter(({ group }) => group === OWN_GROUP).map(({ name }) => name));
      const name = operation.names.find((each) => !taken.has(each));
      if (name === undefined) throw new Error(`no name is free for ${operation.definition.tagName}`);
      const object = scanObject(owner, operation.definition, name);
      return [...scans, parseStoredScan(mergePatch(object, { metadata: { uid: `uid-of-${name}` } }))];
    }
    case 'change':
      return scans.map((scan) =>
        scan === operation.scan ? parseStoredScan(mergePatch(scan, { ...operation.patch })) : scan,
      );
    case 'remove':
      return scans.filter((scan) => scan !== operation.scan);
  }
}
