import { oneLine } from '../core/one-line.ts';
import type { ImageScan } from '../kube/kinds/image-scan.ts';
import { toScan } from '../kube/kinds/to-scan.ts';
import type { RegistryClient } from '../registry/client.ts';
import type { PullAccessReader } from '../scan/pull-access.ts';
import { dockerCredentials } from './docker-config.ts';
import { UsageError } from './failure.ts';
import type { RegistryFlags } from './registry-flags.ts';
import { askingRegistries } from './registry-session.ts';
import { type KnownScan, ScanBook } from './scan-book.ts';
import { type FileScan, type Problem, readScanFiles, type ScanFile } from './scan-files.ts';
import { scanFromHere } from './scan-from-here.ts';

/** The flags of verbs that take scans from files. */
export interface ScansFlags extends RegistryFlags {
  readonly scans?: readonly string[];
  /** Values come from the status of ImageScans alone. */
  readonly offline?: boolean;
  readonly dockerConfig?: string;
  readonly namespace?: string;
  /** The GitRepo as which markers are looked up. */
  readonly gitrepo?: string;
  /** `spec.compatibility` of it. */
  readonly compatibility?: 'None' | 'Fleet';
}

/** What markers are looked up in, and as whom. */
export interface Scans {
  readonly book: ScanBook;
  readonly home: { readonly namespace: string; readonly gitrepo?: string };
  /** Scans that could not be read or asked. */
  readonly problems: readonly Problem[];
}

/**
 * Reads scans from `--scans` and finds what each has in force: by its status where it has one, else by asking the registry. A
 * scan that fails is a problem, and the others count.
 *
 * @param more scans from elsewhere
 * @throws {UsageError}
 */
export async function scansFor(
  flags: ScansFlags,
  more: ScanFile = { scans: [], problems: [] },
): Promise<Scans> {
  const read = await readScanFiles(flags.scans ?? []);
  const scans = [...read.scans, ...more.scans];
  const home = {
    namespace: homeOf(scans, flags),
    ...(flags.gitrepo !== undefined && { gitrepo: flags.gitrepo }),
  };
  const known = await valuesOf(scans, flags);
  const failed = known.flatMap(({ place, failure, isProblem }) =>
    isProblem && failure !== undefined ? [{ place, message: failure }] : [],
  );
  return { book: new ScanBook(known), home, problems: [...read.problems, ...more.problems, ...failed] };
}

/** The namespace of the flag, or the one that all scans are of. */
function homeOf(scans: readonly FileScan[], { namespace }: ScansFlags): string {
  if (namespace !== undefined) return namespace;
  const all = new Set(scans.map(({ scan }) => scan.metadata.namespace).filter((name) => name !== ''));
  if (all.size > 1) {
    const names = [...all].toSorted().slice(0, 5).join(', ');
    throw new UsageError(
      'Usage',
      `the scans are of several namespaces (${names}): say with -n which one markers speak of`,
    );
  }
  const [only = 'default'] = all;
  return only;
}

interface AskedScan extends KnownScan {
  readonly place: string;
  /** Whether the user has to look into it: a scan that was not to be asked is none. */
  readonly isProblem: boolean;
}

async function valuesOf(scans: readonly FileScan[], flags: ScansFlags): Promise<AskedScan[]> {
  const isOpen = ({ scan }: FileScan): boolean => toScan(scan).inForce === undefined && !scan.spec.suspend;
  if (flags.offline || !scans.some(isOpen)) return scans.map((it) => fromStatus(it, flags));
  const access: PullAccessReader = async (_scan, reference) => ({
    credentials: await dockerCredentials(flags.dockerConfig, reference),
    notes: [],
  });
  return askingRegistries(flags, (registry) =>
    Promise.all(
      scans.map(async (it) => (isOpen(it) ? fromRegistry(it, registry, access) : fromStatus(it, flags))),
    ),
  );
}

function fromStatus({ place, scan }: FileScan, { offline }: ScansFlags): AskedScan {
  const known = { place, scan: toScan(scan), isProblem: false };
  if (known.scan.inForce !== undefined) return known;
  const failure = offline ? `${missingIn(scan)}, and --offline asks no registry` : 'it is suspended';
  return { ...known, failure };
}

function missingIn({ status }: ImageScan): string {
  const { canonicalImageName, latestTag } = status;
  return canonicalImageName && latestTag
    ? `its status is of another image, ${oneLine(canonicalImageName)}`
    : 'it has none in its status';
}

async function fromRegistry(
  { place, scan }: FileScan,
  registry: RegistryClient,
  access: PullAccessReader,
): Promise<AskedScan> {
  const result = await scanFromHere(scan, registry, access);
  const known = { place, scan: toScan(scan), isProblem: true };
  if (result.kind === 'failed')
    return { ...known, failure: oneLine(`${result.reason}: ${result.message}`, 1000) };
  return { ...known, scan: { ...known.scan, inForce: result.value } };
}
