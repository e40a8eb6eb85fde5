import { type ImageScan, parseImageScan } from '../kube/kinds/image-scan.ts';
import { InvalidObjectError } from '../kube/kinds/parse.ts';
import { listAll } from '../kube/list.ts';
import type { RegistryClient } from '../registry/client.ts';
import { failureOf } from '../scan/failure.ts';
import type { PullAccessReader } from '../scan/pull-access.ts';
import { readOrder } from '../scan/task.ts';
import { connected } from './connection.ts';
import type { ConnectionFlags } from './connection-flags.ts';
import { dockerCredentials } from './docker-config.ts';
import { ScanError, UsageError } from './failure.ts';
import { type FileObject, type FileProblem, imageScansIn } from './lint-files.ts';
import { resourceName, scanName } from './names.ts';
import { IMAGE_SCAN } from './objects.ts';
import { note, nothingFound, print } from './output.ts';
import type { RegistryFlags } from './registry-flags.ts';
import { askingRegistries } from './registry-session.ts';
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

/** An ImageScan that is looked over, and where it is. */
interface Subject {
  readonly place: string;
  readonly scan: ImageScan;
}

/**
 * Looks ImageScans over, of files or of the cluster: what is wrong with a spec, what its scan would give now, and whether the choice is likely
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
  const entries = await imageScansIn(files);
  if (entries.length === 0) note('No ImageScans found');
  const read = entries.map(readEntry);
  const subjects = read.filter((it) => 'scan' in it);
  const access: PullAccessReader = async (_scan, reference) => ({
    credentials: await dockerCredentials(flags.dockerConfig, reference),
    notes: [],
  });
  return [...read.filter((it) => 'severity' in it), ...(await lookOver(subjects, access, flags))];
}

function readEntry(entry: FileObject | FileProblem): Subject | Finding {
  const { place } = entry;
  if ('problem' in entry) return { place, severity: 'error', text: `cannot be read: ${entry.problem}` };
  try {
    return { place, scan: parseImageScan(entry.object) };
  } catch (error) {
    if (error instanceof InvalidObjectError) return { place, severity: 'error', text: error.message };
    throw error;
  }
}

async function lintCluster(names: readonly string[], flags: LintFlags): Promise<Finding[]> {
  let findings: Finding[] = [];
  await connected(flags, async ({ client, namespace }) => {
    const wanted = new Set(names.map(scanName));
    const { items } = await listAll(
      client,
      { resource: IMAGE_SCAN.resource, namespace },
      { project: parseImageScan },
    );
    const scans = items.filter(({ metadata }) => wanted.size === 0 || wanted.has(metadata.name));
    const missing = [...wanted].filter((name) => scans.every(({ metadata }) => metadata.name !== name));
    if (missing.length > 0) throw new ScanError('Failed', `not in ${namespace}: ${missing.join(', ')}`);
    if (scans.length === 0) note(nothingFound({}, namespace));
    const subjects = scans.map((scan) => ({
      place: resourceName(IMAGE_SCAN.kind, scan.metadata.name),
      scan,
    }));
    findings = await lookOver(subjects, clusterAccess(client), flags);
  });
  return findings;
}

async function lookOver(
  subjects: readonly Subject[],
  access: PullAccessReader,
  flags: LintFlags,
): Promise<Finding[]> {
  if (flags.offline) return subjects.flatMap(readSpec);
  return askingRegistries(flags, async (registry) => {
    const findings = await Promise.all(subjects.map((subject) => tryScan(subject, registry, access)));
    return findings.flat();
  });
}

function readSpec({ place, scan }: Subject): Finding[] {
  try {
    readOrder(scan);
    return [];
  } catch (error) {
    const { reason, message } = failureOf(error, []);
    return [{ place, severity: 'error', text: `${reason}: ${message}` }];
  }
}

async function tryScan(
  { place, scan }: Subject,
  registry: RegistryClient,
  access: PullAccessReader,
): Promise<Finding[]> {
  const result = await scanFromHere(scan, registry, access);
  if (result.kind === 'failed')
    return [{ place, severity: 'error', text: `${result.reason}: ${result.message}` }];
  return result.warning === undefined ? [] : [{ place, severity: 'warning', text: result.warning }];
}
