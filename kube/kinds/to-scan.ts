import { z } from 'zod';
import { canonicalName, tryParseReference } from '../../core/reference.ts';
import { type Group, OWN_GROUP } from '../../core/group.ts';
import type { HistoryEntry, Scan } from '../../core/scan.ts';
import type { Value } from '../../core/value.ts';
import { objectMeta } from './common.ts';
import { parseFleetImageScan } from './fleet.ts';
import { imageScanSpec, imageScanStatus } from './image-scan.ts';
import { InvalidObjectError, parseObject } from './parse.ts';

/** The fields of an ImageScan that a {@link Scan} is made of. */
const scanFields = z.object({
  metadata: objectMeta.pick({ name: true, namespace: true, generation: true }),
  spec: imageScanSpec.pick({
    image: true,
    tagName: true,
    gitrepoName: true,
    consistency: true,
    exportTo: true,
  }),
  status: imageScanStatus
    .pick({ canonicalImageName: true, latestTag: true, latestDigest: true, history: true })
    .default({}),
});
type ScanFields = z.infer<typeof scanFields> & { readonly group: Group };

/**
 * What the rules of core/ need of an ImageScan. Its value is in force only while it is of the image that the spec names: after
 * a change of `spec.image` there is none until the next scan.
 */
export function toScan({ group, metadata, spec, status }: ScanFields): Scan {
  const reference = tryParseReference(spec.image);
  const spelled = reference && { name: reference.name, canonicalName: canonicalName(reference) };
  const inForce = spelled && valueInForce(status, spelled);
  return {
    group,
    namespace: metadata.namespace,
    name: metadata.name,
    tagName: spec.tagName || metadata.name,
    generation: metadata.generation,
    exportTo: spec.exportTo ?? [],
    history: (status.history ?? []).map((entry) => toHistoryEntry(entry, spelled)),
    ...(spec.gitrepoName && { gitrepoName: spec.gitrepoName }),
    ...(spec.consistency && { consistency: spec.consistency }),
    ...(inForce && { inForce }),
  };
}

/**
 * {@link toScan} of a raw object, at the cost of reading only the fields it needs.
 *
 * @param onInvalid told of an object that has not the form of an ImageScan
 * @returns undefined for such an object
 */
export function projectScan(raw: unknown, onInvalid?: (error: InvalidObjectError) => void): Scan | undefined {
  return project(() => ({ group: OWN_GROUP, ...parseObject('ImageScan', scanFields, raw) }), onInvalid);
}

/** {@link projectScan} of an ImageScan of Fleet's. */
export function projectFleetScan(
  raw: unknown,
  onInvalid?: (error: InvalidObjectError) => void,
): Scan | undefined {
  return project(() => parseFleetImageScan(raw), onInvalid);
}

function project(
  parse: () => ScanFields,
  onInvalid: ((error: InvalidObjectError) => void) | undefined,
): Scan | undefined {
  try {
    return toScan(parse());
  } catch (error) {
    if (!(error instanceof InvalidObjectError)) throw error;
    onInvalid?.(error);
    return undefined;
  }
}

type Spelling = Pick<Value, 'name' | 'canonicalName'>;

function valueInForce(status: ScanFields['status'], spelling: Spelling): Value | undefined {
  const { canonicalImageName, latestTag, latestDigest } = status;
  if (!latestTag || !latestDigest || canonicalImageName !== spelling.canonicalName) return undefined;
  return { ...spelling, tag: latestTag, digest: latestDigest };
}

function toHistoryEntry(
  { image, tag, digest, since, cause }: NonNullable<ScanFields['status']['history']>[number],
  spelling: Spelling | undefined,
): HistoryEntry {
  const canonical = image.endsWith(`:${tag}`) ? image.slice(0, -tag.length - 1) : image;
  const name = canonical === spelling?.canonicalName ? spelling.name : canonical;
  return { value: { name, canonicalName: canonical, tag, digest }, since: Date.parse(since), cause };
}
