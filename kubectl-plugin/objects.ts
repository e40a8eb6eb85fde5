import { FLEET_GROUP, type Group, OWN_GROUP } from '../core/group.ts';
import { ApiError } from '../kube/errors.ts';
import { InvalidObjectError } from '../kube/kinds/parse.ts';
import { GIT_REPO_KINDS, IMAGE_SCAN_KINDS } from '../kube/kinds/served.ts';
import type { Resource } from '../kube/resource.ts';
import type { OutputFlags } from './output.ts';
import { isConcerned, SHOWN_REPO, SHOWN_SCAN } from './shown.ts';
import { fleetGitRepoColumns, fleetScanColumns, gitRepoColumns, scanColumns } from './status-table.ts';
import { type Column, type Row, rowOf } from './table.ts';

/** An object of one of the kinds with all the fields that the server has, also those that this version does not know. */
export interface ServerObject {
  readonly metadata: { readonly namespace: string; readonly name: string; readonly resourceVersion: string };
}

/**
 * Reads what the server sent, and leaves it as it is.
 *
 * @throws {ApiError} 'Server' when it is no object that lives in a namespace
 */
export function serverObject(raw: unknown): ServerObject {
  if (isServerObject(raw)) return raw;
  throw new ApiError('Server', 'the API server sent an object without name, namespace or resourceVersion');
}

function isServerObject(raw: unknown): raw is ServerObject {
  const metadata = (raw as Partial<ServerObject> | null | undefined)?.metadata;
  return [metadata?.namespace, metadata?.name, metadata?.resourceVersion].every(
    (text) => typeof text === 'string',
  );
}

/** A kind that is served, and how tables show it. */
export interface Kind {
  readonly kind: 'ImageScan' | 'GitRepo';
  readonly group: Group;
  readonly resource: Resource;
  /** Is this object one to show? Fleet has GitRepos that image scan has nothing to do with. */
  readonly isShown: (raw: unknown) => boolean;
  readonly headings: (flags: OutputFlags) => Row;
  /** Makes what gives the row of an object; that throws InvalidObjectError for one that has not the kind's form. */
  readonly rows: (flags: OutputFlags) => (raw: unknown) => Row;
}

export const IMAGE_SCAN: Kind = {
  kind: 'ImageScan',
  group: OWN_GROUP,
  resource: IMAGE_SCAN_KINDS[OWN_GROUP].resource,
  isShown: () => true,
  ...inTable(scanColumns, SHOWN_SCAN[OWN_GROUP]),
};
export const FLEET_IMAGE_SCAN: Kind = {
  kind: 'ImageScan',
  group: FLEET_GROUP,
  resource: IMAGE_SCAN_KINDS[FLEET_GROUP].resource,
  isShown: () => true,
  ...inTable(fleetScanColumns, SHOWN_SCAN[FLEET_GROUP]),
};
export const GIT_REPO: Kind = {
  kind: 'GitRepo',
  group: OWN_GROUP,
  resource: GIT_REPO_KINDS[OWN_GROUP].resource,
  isShown: () => true,
  ...inTable(gitRepoColumns, SHOWN_REPO[OWN_GROUP]),
};
export const FLEET_GIT_REPO: Kind = {
  kind: 'GitRepo',
  group: FLEET_GROUP,
  resource: GIT_REPO_KINDS[FLEET_GROUP].resource,
  isShown: isConcerned,
  ...inTable(fleetGitRepoColumns, SHOWN_REPO[FLEET_GROUP]),
};

function inTable<T>(
  columnsFor: (flags: OutputFlags) => Column<T>[],
  parse: (raw: unknown) => T,
): Pick<Kind, 'headings' | 'rows'> {
  return {
    headings: (flags) => columnsFor(flags).map(({ heading }) => heading),
    rows: (flags) => {
      const columns = columnsFor(flags);
      return (raw) => rowOf(columns, parse(raw));
    },
  };
}

/** Reads objects one by one: what is wrong with one goes to `onError`, and the others can still be shown. */
export function tolerant<T>(
  read: (raw: unknown) => T,
  onError: (error: InvalidObjectError) => void,
): (raw: unknown) => T | undefined {
  return (raw) => {
    try {
      return read(raw);
    } catch (error) {
      if (!(error instanceof InvalidObjectError)) throw error;
      onError(error);
      return undefined;
    }
  };
}
