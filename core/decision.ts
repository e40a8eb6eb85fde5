import {
  type Marker,
  MARKER_ANNOTATION_PREFIX,
  type MarkerErrorCode,
  MarkerError,
  parseAnnotationMarker,
} from './marker.ts';
import { oneLine } from './one-line.ts';
import { type Pod, type PodImage, podImages } from './pod.ts';
import { parseResolutions, RESOLVED_ANNOTATION, type Resolution } from './resolution.ts';
import { type Lookup, type Scan, type ScanIndex, scanKey } from './scan.ts';
import { containerImage } from './value.ts';

/** Why a marked image stays as it was written. */
export type KeptReason =
  | MarkerErrorCode
  | Extract<Lookup, { kind: 'refused' }>['reason']
  | 'NoValue'
  | 'StaleValue'
  | 'InvalidImage'
  | 'UnknownContainer';

/** What becomes of one marked image. */
export type Decision =
  | {
      readonly kind: 'resolved';
      readonly image: PodImage;
      readonly to: string;
      readonly resolution: Resolution;
    }
  | {
      readonly kind: 'kept';
      /** The container or volume that the annotation names. */
      readonly name: string;
      readonly image?: PodImage;
      readonly reason: KeptReason;
      /** One line, for a person. */
      readonly message: string;
    };

/** What {@link decide} goes by. */
export interface Situation {
  readonly pod: Pod;
  /** The pod's namespace; the pod itself may not say. */
  readonly namespace: string;
  /** The images that may be changed; markers of the pod's other images are passed over. */
  readonly images: readonly PodImage[];
  readonly scans: Pick<ScanIndex, 'find'>;
  readonly now: Date;
}

/**
 * Decides, for each marker annotation of a pod, which image its container gets.
 *
 * A resolution that an earlier call recorded on the pod is kept, so that a pod does not change its image between two
 * webhooks of one admission; it is believed only where the container has that very image and the scan has, or had, a
 * value in force that gives it.
 */
export function decide(situation: Situation): Decision[] {
  const annotations = situation.pod.metadata?.annotations ?? {};
  const recorded = parseResolutions(annotations[RESOLVED_ANNOTATION]);
  return Object.entries(annotations)
    .filter(([key]) => key.startsWith(MARKER_ANNOTATION_PREFIX))
    .flatMap(([key, text]) => {
      const name = key.slice(MARKER_ANNOTATION_PREFIX.length);
      return decideOne(situation, name, text, recorded[name]) ?? [];
    });
}

function decideOne(
  situation: Situation,
  name: string,
  text: string,
  recorded: Resolution | undefined,
): Decision | undefined {
  const image = situation.images.find((candidate) => candidate.name === name);
  const kept = (reason: KeptReason, message: string): Decision => ({
    kind: 'kept',
    name,
    ...(image !== undefined && { image }),
    reason,
    message,
  });
  if (image === undefined && podImages(situation.pod).some((other) => other.name === name)) return undefined;
  if (image === undefined)
    return kept('UnknownContainer', `the pod has no container or image volume ${name} (yet)`);

  const marker = readMarker(text);
  if (marker instanceof MarkerError) return kept(marker.code, marker.message);

  const lookup = situation.scans.find(marker, { namespace: situation.namespace });
  if (lookup.kind === 'refused') return kept(lookup.reason, lookup.message);

  const { scan, reading } = lookup;
  if (recorded !== undefined && stillHolds(recorded, image, lookup)) {
    return { kind: 'resolved', image, to: image.image, resolution: recorded };
  }
  if (scan.inForce === undefined) return kept(...whyNoValue(scan));

  const to = containerImage(reading.form, scan.inForce, image.image);
  if (to === undefined) {
    return kept(
      'InvalidImage',
      `"${oneLine(image.image)}" is no image reference, so :${reading.form} cannot change a part of it`,
    );
  }
  const resolution = {
    from: image.image,
    to,
    scan: scanKey(scan),
    generation: scan.generation,
    time: situation.now.toISOString(),
  };
  return { kind: 'resolved', image, to, resolution };
}

function readMarker(text: string): Marker | MarkerError {
  try {
    return parseAnnotationMarker(text);
  } catch (error) {
    if (error instanceof MarkerError) return error;
    throw error;
  }
}

function stillHolds(
  recorded: Resolution,
  { image }: PodImage,
  { scan, reading }: Extract<Lookup, { kind: 'found' }>,
): boolean {
  if (recorded.to !== image || recorded.scan !== scanKey(scan)) return false;
  const values = [
    ...(scan.inForce === undefined ? [] : [scan.inForce]),
    ...scan.history.map((entry) => entry.value),
  ];
  return values.some((value) => containerImage(reading.form, value, image) === image);
}

function whyNoValue(scan: Scan): [KeptReason, string] {
  return scan.history.length > 0
    ? ['StaleValue', `scan ${scanKey(scan)} has no result yet for the image that it names now`]
    : ['NoValue', `scan ${scanKey(scan)} has no result yet`];
}
