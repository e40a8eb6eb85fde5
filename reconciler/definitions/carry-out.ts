import type { KubeClient } from '../../kube/client.ts';
import { ApiError } from '../../kube/errors.ts';
import { CodedError } from '../../core/errors.ts';
import { IMAGE_SCAN_KINDS } from '../../kube/kinds/served.ts';
import { IMAGE_SCANS } from '../../kube/resource.ts';
import { parseStoredScan } from '../stores.ts';
import type { Definition, Mistake } from './definition.ts';
import { fileOf, type Owner, scanObject } from './object.ts';
import { isDefinedBy, type Operation } from './plan.ts';

/** What the API server is asked with. */
export type ScanClient = Pick<KubeClient, 'get' | 'create' | 'patch' | 'delete'>;

/** What was done, each by the name of its ImageScan. */
export interface Done {
  readonly created: readonly string[];
  /** Their spec or their owner was another. */
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  /** What the API server refused, or did not answer. */
  readonly failures: readonly Mistake[];
}

const AT_ONCE = 8;
const FIELD_MANAGER = 'fleetscan-definitions';

/**
 * Carries a plan out. A failure of one operation stops no other.
 *
 * @throws only the signal's reason, or a mistake of ours
 */
export async function carryOut(
  operations: readonly Operation[],
  owner: Owner,
  client: ScanClient,
  signal: AbortSignal,
): Promise<Done> {
  const done = { created: [] as string[], changed: [] as string[], removed: [] as string[] };
  const failures: Mistake[] = [];
  const doOne = async (operation: Operation): Promise<void> => {
    switch (operation.kind) {
      case 'create': {
        const name = await create(operation, owner, client, signal);
        if (name !== undefined) done.created.push(name);
        return;
      }
      case 'change':
        if (await change(operation, client, signal)) done.changed.push(operation.scan.name);
        return;
      case 'remove':
        if (await remove(operation, client, signal)) done.removed.push(operation.scan.name);
    }
  };
  const open = operations.values();
  const work = async (): Promise<void> => {
    for (const operation of open) {
      signal.throwIfAborted();
      try {
        await doOne(operation);
      } catch (error) {
        if (!(error instanceof CodedError)) throw error;
        failures.push(failure(operation, error));
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return { ...done, failures };
}

/** @returns the name of the ImageScan; undefined when it is there already, of which the watch is yet to tell */
async function create(
  { definition, names }: Extract<Operation, { kind: 'create' }>,
  owner: Owner,
  client: ScanClient,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { namespace } = owner;
  for (const name of names) {
    try {
      const object = scanObject(owner, definition, name);
      await client.create(
        { resource: IMAGE_SCANS, namespace },
        object,
        { fieldManager: FIELD_MANAGER },
        signal,
      );
      return name;
    } catch (error) {
      if (!isCode(error, 'AlreadyExists')) throw error;
    }
    const other = parseStoredScan(await client.get({ resource: IMAGE_SCANS, namespace, name }, signal));
    if (isDefinedBy(owner, other)) return undefined;
  }
  throw new ApiError('AlreadyExists', `the names ${names.join(', ')} are taken by other ImageScans`);
}

/** @returns whether more changed than where the definition stands */
async function change(
  { scan, patch }: Extract<Operation, { kind: 'change' }>,
  client: ScanClient,
  signal: AbortSignal,
): Promise<boolean> {
  const { namespace, name } = scan;
  const path = { resource: IMAGE_SCANS, namespace, name };
  const isThere = await unlessGone(
    client.patch(path, patch, 'merge', { fieldManager: FIELD_MANAGER }, signal),
  );
  return isThere && (patch.spec !== undefined || 'ownerReferences' in patch.metadata);
}

/** @returns whether it was there */
function remove(
  { scan }: Extract<Operation, { kind: 'remove' }>,
  client: ScanClient,
  signal: AbortSignal,
): Promise<boolean> {
  const { group, namespace, name, metadata } = scan;
  const path = { resource: IMAGE_SCAN_KINDS[group].resource, namespace, name };
  return unlessGone(client.delete(path, { uid: metadata.uid }, signal));
}

/** Of an object that somebody deleted meanwhile the watch is yet to tell. */
async function unlessGone(call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (error) {
    if (isCode(error, 'NotFound')) return false;
    throw error;
  }
}

function failure(operation: Operation, { code, message }: CodedError<string>): Mistake {
  switch (operation.kind) {
    case 'create':
      return { ...placeOf(operation.definition), message: `not created: ${code}: ${message}` };
    case 'change': {
      const { definition, scan } = operation;
      return { ...placeOf(definition), message: `ImageScan ${scan.name} not changed: ${code}: ${message}` };
    }
    case 'remove': {
      const { scan } = operation;
      const text = `ImageScan ${scan.name}, which is not wanted any more, not removed: ${code}: ${message}`;
      return { file: fileOf(scan) ?? '(no file)', message: text };
    }
  }
}

function placeOf({ file, line, tagName }: Definition): Omit<Mistake, 'message'> {
  return { file, line, tagName };
}

function isCode(error: unknown, code: ApiError['code']): boolean {
  return error instanceof ApiError && error.code === code;
}
