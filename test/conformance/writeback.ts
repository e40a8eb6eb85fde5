import { z } from 'zod';
import { type Amd64, asFleetWrites } from '../../core/compatibility.ts';
import { OWN_GROUP } from '../../core/group.ts';
import { messageOf } from '../../core/errors.ts';
import { canonicalName, tryParseReference } from '../../core/reference.ts';
import type { Marker } from '../../core/marker.ts';
import { type Lookup, type Scan, ScanIndex } from '../../core/scan.ts';
import type { Value } from '../../core/value.ts';
import { editMarkers } from '../../core/yaml/edit.ts';
import { PathError } from '../../core/paths.ts';
import type { GitRepoSpec } from '../../kube/kinds/git-repo.ts';
import { selectPaths } from '../core/select-paths.ts';
import type { Outcome } from './outcome.ts';

const scanResult = z.object({
  tagName: z.string(),
  latestImage: z.string(),
  latestTag: z.string(),
  latestDigest: z.string(),
  /** The image as the scan's spec names it; that of `latestImage` when absent. */
  image: z.string().optional(),
  /** What the digest has for linux/amd64, null for nothing; when absent it is that of an image. */
  amd64Digest: z.string().nullish(),
});
type ScanResult = z.infer<typeof scanResult>;

const contents = z.record(z.string(), z.string());
/** Files of a checkout and the results of scans; `changed` holds the files that write-back changes, as they become. */
const writebackCase = z.object({
  name: z.string(),
  path: z.string(),
  scans: z.array(scanResult),
  files: contents,
  error: z.string().nullish(),
  changed: contents,
});
type WritebackCase = z.infer<typeof writebackCase>;
const writebackFile = z.object({ cases: z.array(writebackCase) });

const NAMESPACE = 'fleet-default';

/** `spec.compatibility` of the GitRepo. */
type Compatibility = NonNullable<GitRepoSpec['compatibility']>;

/**
 * Runs the write-back cases of a file: one JSON object with `cases`.
 *
 * @throws {Error} when the content is something else
 */
export function runWriteback(text: string, compatibility: Compatibility = 'None'): Outcome[] {
  const { cases } = writebackFile.parse(JSON.parse(text));
  return cases.map((one) => ({ name: one.name, ...judge(one, compatibility) }));
}

function judge(one: WritebackCase, compatibility: Compatibility): Pick<Outcome, 'failure'> {
  try {
    const came = writeBack(one, compatibility);
    if (one.error) return { failure: `wanted the error ${JSON.stringify(one.error)}, came none` };
    const [failure] = Object.keys({ ...one.files, ...one.changed }).flatMap((file) =>
      difference(one, came, file),
    );
    return failure === undefined ? {} : { failure };
  } catch (error) {
    if (error instanceof PathError && one.error) return {};
    return { failure: messageOf(error) };
  }
}

function difference(one: WritebackCase, came: ReadonlyMap<string, string>, file: string): string[] {
  const want = one.changed[file] ?? one.files[file];
  const has = came.get(file) ?? one.files[file];
  return want === has ? [] : [`${file}: wanted ${JSON.stringify(want)}, came ${JSON.stringify(has)}`];
}

function writeBack({ path, scans, files }: WritebackCase, compatibility: Compatibility): Map<string, string> {
  const index = new ScanIndex();
  index.replace(scans.map(scanOf));
  const find = (marker: Marker): Lookup => {
    const lookup = index.find(marker, { namespace: NAMESPACE });
    return compatibility === 'Fleet' ? asFleetWrites(lookup, (scan) => amd64Of(scan, scans)) : lookup;
  };
  return new Map(
    selectPaths([path], Object.keys(files)).map((file) => [file, editMarkers(files[file] ?? '', find).text]),
  );
}

function amd64Of({ tagName }: Scan, scans: readonly ScanResult[]): Amd64 {
  const result = scans.find((scan) => scan.tagName === tagName);
  const digest = result?.amd64Digest === undefined ? result?.latestDigest : result.amd64Digest;
  return digest === undefined || digest === null ? { kind: 'none' } : { kind: 'image', digest };
}

function scanOf(result: ScanResult, index: number): Scan {
  const inForce = valueOf(result);
  return {
    group: OWN_GROUP,
    namespace: NAMESPACE,
    name: `scan-${index}`,
    tagName: result.tagName,
    generation: 1,
    exportTo: [],
    history: [],
    ...(inForce && { inForce }),
  };
}

function valueOf({ image, latestImage, latestTag, latestDigest }: ScanResult): Value | undefined {
  if (latestImage === '') return undefined;
  const name = latestImage.slice(0, -`:${latestTag}`.length);
  const reference = tryParseReference(name);
  return {
    name: (image === undefined ? undefined : tryParseReference(image)?.name) ?? name,
    canonicalName: reference === undefined ? name : canonicalName(reference),
    tag: latestTag,
    digest: latestDigest,
  };
}
