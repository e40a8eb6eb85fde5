import { artifactTag } from '../core/policy/artifact-tag.ts';
import type { Explain } from '../core/policy/explain.ts';
import { parseSelection, type Selection, type SelectionSpec } from '../core/policy/selection.ts';
import { canonicalName, parseReference, type Reference } from '../core/reference.ts';
import type { ImageScan, ImageScanStatus } from '../kube/kinds/image-scan.ts';
import type { RegistryClient } from '../registry/client.ts';
import type { Access } from '../registry/request.ts';
import type { ScanMemory } from './memory.ts';
import { isScanRequested, parseInterval } from './interval.ts';

/** What an ImageScan says that has to be found out. */
export interface ScanOrder {
  readonly reference: Reference;
  readonly selection: Selection;
  /** An answer of the registry that another scan had this many milliseconds ago at most is good enough. */
  readonly maxAgeMs: number;
  /** What is in force, where it was chosen for this image and by this spec: a scan alone does not go back behind it. */
  readonly inForce?: InForce;
}

/** The value in force, as far as a scan has to compare with it. */
export interface InForce {
  readonly tag: string;
  readonly digest: string;
  /** When it came into force, in milliseconds since the epoch. */
  readonly since: number;
  /** Digests that the same tag had before. */
  readonly formerDigests: ReadonlySet<string>;
}

/** A {@link ScanOrder}, and what it is carried out with. */
export interface ScanTask extends ScanOrder {
  /** `namespace/name` of the ImageScan, and the generation of its spec. */
  readonly key: string;
  readonly generation: number;
  readonly registry: RegistryClient;
  readonly access: Access;
  readonly memory: ScanMemory;
  /** How to tell of the candidates: all of them, or the few around the choice. */
  readonly explain: Explain;
  /** How many tags the registry had when it was last asked; unset when that was another image. */
  readonly formerTagCount?: number;
}

/**
 * Reads what an ImageScan asks for.
 *
 * @throws {ReferenceError | PolicyError | IntervalError}
 */
export function readOrder(scan: ImageScan): ScanOrder {
  const { metadata, spec, status } = scan;
  const reference = parseReference(spec.image);
  const interval = parseInterval(spec.interval);
  const isNew = status.observedGeneration !== metadata.generation;
  const inForce = isNew ? undefined : valueInForce(status, reference);
  return {
    reference,
    selection: readSelection(spec),
    // Who asks for a scan, or has just written the spec, wants to know what is there now.
    maxAgeMs: isNew || isScanRequested(scan) ? 0 : interval / 2,
    ...(inForce && { inForce }),
  };
}

/**
 * What a spec says about tags, where names that registries give to what is no image do not count. Fleet lets them; so does
 * {@link parseSelection}.
 *
 * @throws {PolicyError}
 */
export function readSelection(spec: SelectionSpec): Selection {
  return { ...parseSelection(spec), artifactOf: artifactTag };
}

function valueInForce(status: ImageScanStatus, reference: Reference): InForce | undefined {
  const { canonicalImageName, latestTag, latestDigest, latestImage, history = [] } = status;
  if (!latestTag || !latestDigest || canonicalImageName !== canonicalName(reference)) return undefined;
  const former = history.filter(({ image, digest }) => image === latestImage && digest !== latestDigest);
  return {
    tag: latestTag,
    digest: latestDigest,
    since: Date.parse(history[0]?.since ?? ''),
    formerDigests: new Set(former.map(({ digest }) => digest)),
  };
}
