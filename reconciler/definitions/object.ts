import {
  DEFINED_AT_ANNOTATION,
  DEFINED_BY_LABEL,
  DEFINED_FIELDS_ANNOTATION,
} from '../../kube/kinds/defined.ts';
import { API_VERSION, type ObjectMeta, VERSION } from '../../kube/kinds/common.ts';
import type { StoredGitRepo, StoredScan } from '../stores.ts';
import type { Definition } from './definition.ts';
import { labelFor } from './names.ts';
import { fieldsPatch } from './spec.ts';

/** The GitRepo whose files define. */
export type Owner = Pick<StoredGitRepo, 'group' | 'namespace' | 'name' | 'metadata'>;

type OwnerReferences = NonNullable<ObjectMeta['ownerReferences']>;

/** What has to change in an ImageScan, as a JSON merge patch. */
export interface ScanPatch {
  readonly metadata: object;
  readonly spec?: object;
}

/** The ImageScan of a definition, as it is to be created. */
export function scanObject(owner: Owner, definition: Definition, name: string): object {
  return {
    apiVersion: API_VERSION,
    kind: 'ImageScan',
    metadata: {
      namespace: owner.namespace,
      name,
      labels: { [DEFINED_BY_LABEL]: labelFor(owner.name) },
      annotations: annotationsOf(definition),
      ownerReferences: [ownerReference(owner)],
    },
    spec: specOf(owner, definition),
  };
}

/**
 * What has to change in an ImageScan to make it as a definition says. A field of `spec` that the file has is the file's, with all that is
 * in it; one that it had before goes; what it never had is for people to set.
 *
 * @returns undefined when it is so already
 */
export function scanPatch(owner: Owner, definition: Definition, scan: StoredScan): ScanPatch | undefined {
  const { annotations, ownerReferences, uid } = scan.metadata;
  const former = annotations[DEFINED_FIELDS_ANNOTATION]?.split(',') ?? [];
  const spec = fieldsPatch(scan.spec, specOf(owner, definition), former);
  const said = fieldsPatch(annotations, annotationsOf(definition), []);
  const owners = ownersPatch(owner, ownerReferences ?? []);
  if (spec === undefined && said === undefined && owners === undefined) return undefined;
  return {
    // The uid is a precondition: nothing is written to another object that bears the name since.
    metadata: {
      uid,
      ...(said && { annotations: said }),
      ...(owners && { ownerReferences: owners }),
    },
    ...(spec && { spec }),
  };
}

function specOf({ name }: Owner, { tagName, spec }: Definition): StoredScan['spec'] {
  return { ...spec, tagName, gitrepoName: name };
}

function annotationsOf({ file, line, spec }: Definition): Readonly<Record<string, string>> {
  return {
    [DEFINED_AT_ANNOTATION]: `${file}:${line}`,
    [DEFINED_FIELDS_ANNOTATION]: Object.keys(spec).toSorted().join(','),
  };
}

/** The file that an ImageScan was defined in when it was last looked at. */
export function fileOf({ metadata }: StoredScan): string | undefined {
  return metadata.annotations[DEFINED_AT_ANNOTATION]?.replace(/:\d+$/, '');
}

// No blockOwnerDeletion: it would take a right to the finalizers of GitRepos, and nobody waits for these.
function ownerReference({ group, metadata }: Owner): OwnerReferences[number] {
  return { apiVersion: `${group}/${VERSION}`, kind: 'GitRepo', name: metadata.name, uid: metadata.uid };
}

/** The owners with this GitRepo in place of any other; those of other kinds stay. */
function ownersPatch(owner: Owner, owners: OwnerReferences): OwnerReferences | undefined {
  const wanted = ownerReference(owner);
  const gitRepos = owners.filter(({ kind }) => kind === wanted.kind);
  const [only] = gitRepos;
  const isOwned =
    gitRepos.length === 1 &&
    only?.uid === wanted.uid &&
    only.apiVersion === wanted.apiVersion &&
    only.name === wanted.name;
  return isOwned ? undefined : [...owners.filter(({ kind }) => kind !== wanted.kind), wanted];
}
