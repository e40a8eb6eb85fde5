/** The annotation in which the webhook records, per container, what it resolved: JSON of {@link Resolutions}. */
export const RESOLVED_ANNOTATION = 'fleetscan.io/resolved';

/** How one container came by its image. */
export interface Resolution {
  /** The image before admission, and the one it got. */
  readonly from: string;
  readonly to: string;
  /** `namespace/name` of the scan, and the generation of its spec. */
  readonly scan: string;
  readonly generation: number;
  /** When, RFC 3339. */
  readonly time: string;
}

export type Resolutions = Readonly<Record<string, Resolution>>;

/**
 * Reads the annotation. Anybody may have written it, so what is no resolution is left out and nothing is believed yet:
 * see {@link import('./decision.ts').decide} for what is.
 */
export function parseResolutions(annotation: string | undefined): Resolutions {
  if (annotation === undefined) return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(annotation);
  } catch {
    return {};
  }
  if (typeof parsed !== 'object' || parsed === null) return {};
  return Object.fromEntries(
    Object.entries(parsed).flatMap(([name, value]) => {
      const resolution = readResolution(value);
      return resolution === undefined ? [] : [[name, resolution]];
    }),
  );
}

/** Takes the known fields and no others, so that nothing else is carried on into the annotation that is written. */
function readResolution(value: unknown): Resolution | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { from, to, scan, generation, time } = value as Partial<Record<keyof Resolution, unknown>>;
  const valid =
    typeof from === 'string' &&
    typeof to === 'string' &&
    typeof scan === 'string' &&
    typeof generation === 'number' &&
    Number.isSafeInteger(generation) &&
    typeof time === 'string';
  return valid ? { from, to, scan, generation, time } : undefined;
}
