import type { ImageScan } from '../kube/kinds/image-scan.ts';
import { IMAGE_SCAN_KINDS } from '../kube/kinds/served.ts';
import type { RegistryClient } from '../registry/client.ts';
import { failureOf } from '../scan/failure.ts';
import type { PullAccessReader } from '../scan/pull-access.ts';
import { readOrder } from '../scan/task.ts';
import { type Connection, connected } from './connection.ts';
import type { ConnectionFlags } from './connection-flags.ts';
import { dockerCredentials } from './docker-config.ts';
import { ScanError, UsageError } from './failure.ts';
import { imageScansIn } from './lint-files.ts';
import { list, ofBothGroups } from './listing.ts';
import { resourceName, type ScanRef, scanRef } from './names.ts';
import { note, nothingFound, print } from './output.ts';
import type { RegistryFlags } from './registry-flags.ts';
import { askingRegistries } from './registry-session.ts';
import type { FileScan } from './scan-files.ts';
import { parseFound, ScanFinder } from './scan-finder.ts';
import { clusterAccess, scanFromHere } from './scan-from-here.ts';

/** The flags of `lint`. */
export interface LintFlags extends ConnectionFlags, RegistryFlags {
  readonly filename?: readonly string[];
  /** Reads the specs alone, and asks no registry. */
  readonly offline?: boolean;
  readonly dockerConfig?: string;
}

/** Something that a person should look at. */
interface Finding {
  readonly place: string;
  readonly severity: 'error' | 'warning';
  readonly text: string;
}

/**
 * Looks ImageScans over, of files or of the cluster, ours and Fleet's: what is wrong with a spec, what its scan would give now, and whether the choice is likely
 * what was meant. Exit code 1 when there is an error.
 *
 * @throws {ApiError | KubeconfigError | UsageError | ScanError}
 */
export async function lint(names: readonly string[], flags: LintFlags): Promise<void> {
  if (flags.filename !== undefined && names.length > 0)
    throw new UsageError('Usage', 'use either names or --filename');
  const findings =
    flags.filename === undefined ? await lintCluster(names, flags) : await lintFiles(flags.filename, flags);
  print(findings.map(({ place, severity, text }) => `${place}: ${severity}: ${text}`));
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  if (errors > 0)
    throw new ScanError('Failed', errors === 1 ? 'there is an error' : `there are ${errors} errors`);
}

async function lintFiles(files: readonly string[], flags: LintFlags): Promise<Finding[]> {
  const { scans, problems } = await imageScansIn(files);
  if (scans.length + problems.length === 0) note('No ImageScans found');
  const unreadable = problems.map(({ place = files.join(', '), message: text }): Finding => {
    return { place, severity: 'error', text };
  });
  const access: PullAccessReader = async (_scan, reference) => ({
    credentials: await dockerCredentials(flags.dockerConfig, reference),
    notes: [],
  });
  return [...unreadable, ...(await lookOver(scans, access, flags))];
}

async function lintCluster(names: readonly string[], flags: LintFlags): Promise<Finding[]> {
  const refs = names.map(scanRef);
  let findings: Finding[] = [];
  await connected(flags, async (connection) => {
    const { client, namespace } = connection;
    const scans = refs.length === 0 ? await allScans(connection) : await namedScans(connection, refs);
    if (scans.length === 0) note(nothingFound({}, namespace));
    findings = await lookOver(scans.map(placed), clusterAccess(client), flags);
  });
  return findings;
}

/** @throws an AggregateError of what is not found */
async function namedScans(connection: Connection, refs: readonly ScanRef[]): Promise<ImageScan[]> {
  const { found, failures } = await new ScanFinder(connection).findAll(refs);
  if (failures.length > 0) throw new AggregateError(failures, 'not all ImageScans were found');
  return found.map(parseFound);
}

async function allScans({ client, namespace }: Connection): Promise<ImageScan[]> {
  return ofBothGroups((group) => {
    const { resource, parse } = IMAGE_SCAN_KINDS[group];
    return list(client, { group, resource }, { namespace }, parse);
  });
}

function placed(scan: ImageScan): FileScan {
  return { place: resourceName('ImageScan', scan.metadata.name, scan.group), scan };
}

async function lookOver(
  subjects: readonly FileScan[],
  access: PullAccessReader,
  flags: LintFlags,
): Promise<Finding[]> {
  if (flags.offline) return subjects.flatMap(readSpec);
  return askingRegistries(flags, async (registry) => {
    const findings = await Promise.all(subjects.map((subject) => tryScan(subject, registry, access)));
    return findings.flat();
  });
}

function readSpec({ place, scan }: FileScan): Finding[] {
  try {
    readOrder(scan);
    return [];
  } catch (error) {
    const { reason, message } = failureOf(error, []);
    return [{ place, severity: 'error', text: `${reason}: ${message}` }];
  }
}

async function tryScan(
  { place, scan }: FileScan,
  registry: RegistryClient,
  access: PullAccessReader,
): Promise<Finding[]> {
  const result = await scanFromHere(scan, registry, access);
  if (result.kind === 'failed')
    return [{ place, severity: 'error', text: `${result.reason}: ${result.message}` }];
  return result.warning === undefined ? [] : [{ place, severity: 'warning', text: result.warning }];
}
