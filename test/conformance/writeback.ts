import { z } from 'zod';
import { OWN_GROUP } from '../../core/group.ts';
import { messageOf } from '../../core/errors.ts';
import { canonicalName, tryParseReference } from '../../core/reference.ts';
import { type Scan, ScanIndex } from '../../core/scan.ts';
import type { Value } from '../../core/value.ts';
import { editMarkers } from '../../core/yaml/edit.ts';
import { PathError } from '../../core/paths.ts';
import { selectPaths } from '../core/select-paths.ts';
import type { Outcome } from './outcome.ts';

const scanResult = z.object({
  tagName: z.string(),
  latestImage: z.string(),
  latestTag: z.string(),
  latestDigest: z.string(),
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

/**
 * Runs the write-back cases of a file: one JSON object with `cases`.
 *
 * @throws {Error} when the content is something else
 */
export function runWriteback(text: string): Outcome[] {
  const { cases } = writebackFile.parse(JSON.parse(text));
  return cases.map((one) => ({ name: one.name, ...judge(one) }));
}

function judge(one: WritebackCase): Pick<Outcome, 'failure'> {
  try {
    const came = writeBack(one);
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

function writeBack({ path, scans, files }: WritebackCase): Map<string, string> {
  const index = new ScanIndex();
  index.replace(scans.map(scanOf));
  return new Map(
    selectPaths([path], Object.keys(files)).map((file) => [
      file,
      editMarkers(files[file] ?? '', (marker) => index.find(marker, { namespace: NAMESPACE })).text,
    ]),
  );
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

function valueOf({ latestImage, latestTag, latestDigest }: ScanResult): Value | undefined {
  if (latestImage === '') return undefined;
  const name = latestImage.slice(0, -`:${latestTag}`.length);
  const reference = tryParseReference(name);
  return {
    name,
    canonicalName: reference === undefined ? name : canonicalName(reference),
    tag: latestTag,
    digest: latestDigest,
  };
}
