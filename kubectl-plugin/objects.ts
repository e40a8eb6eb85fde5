import { ApiError } from '../kube/errors.ts';
import { GIT_REPOS, IMAGE_SCANS, type Resource } from '../kube/resource.ts';
import { InvalidObjectError } from '../kube/kinds/parse.ts';
import type { OutputFlags } from './output.ts';
import { parseShownRepo, parseShownScan } from './shown.ts';
import { gitRepoColumns, scanColumns } from './status-table.ts';
import { type Column, type Row, rowOf } from './table.ts';

/** An object of one of our kinds with all the fields that the server has, also those that this version does not know. */
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

/** One of our kinds, and how tables show it. */
export interface Kind {
  readonly kind: 'ImageScan' | 'GitRepo';
  readonly resource: Resource;
  readonly headings: (flags: OutputFlags) => Row;
  /** Makes what gives the row of an object; that throws InvalidObjectError for one that has not the kind's form. */
  readonly rows: (flags: OutputFlags) => (raw: unknown) => Row;
}

export const IMAGE_SCAN: Kind = kindOf('ImageScan', IMAGE_SCANS, scanColumns, parseShownScan);
export const GIT_REPO: Kind = kindOf('GitRepo', GIT_REPOS, gitRepoColumns, parseShownRepo);

function kindOf<T>(
  kind: Kind['kind'],
  resource: Resource,
  columnsFor: (flags: OutputFlags) => Column<T>[],
  parse: (raw: unknown) => T,
): Kind {
  return {
    kind,
    resource,
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
