import { type Reference, tryParseReference } from '../core/reference.ts';
import type { Scan } from '../core/scan.ts';
import type { ImageLabels } from '../registry/labels.ts';
import type { ImageChange } from './image-changes.ts';

/** Labels by digest. */
export type Labels = ReadonlyMap<string, ImageLabels>;

/** Asks for what a digest says of itself, with the access that the scan has. */
export type AskLabels = (
  scan: Scan,
  reference: Reference & { readonly digest: string },
) => Promise<ImageLabels>;

/** Images whose labels are asked for; each costs up to six requests, the first time. */
const MOST_IMAGES = 20;

/**
 * The labels of the images that came and of those that went, as far as their digests are known. They are good to have and no more: where they cannot
 * be had there are none.
 *
 * @param signal ends the asking
 */
export async function labelsOf(
  changes: readonly ImageChange[],
  ask: AskLabels,
  signal?: AbortSignal,
): Promise<Labels> {
  const labels = new Map<string, ImageLabels>();
  for (const change of changes.slice(0, MOST_IMAGES)) {
    const scan = change.edits[0]?.scan;
    const image = tryParseReference(change.value.name);
    if (scan === undefined || image === undefined) continue;
    for (const digest of [change.value.digest, digestBefore(change)]) {
      if (digest === undefined || labels.has(digest)) continue;
      signal?.throwIfAborted();
      labels.set(digest, await ask(scan, { ...image, digest }).catch(none));
    }
  }
  signal?.throwIfAborted();
  return labels;
}

function none(): ImageLabels {
  return {};
}

const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** The digest that an image had before: as it was written, else as the scan remembers that of its tag. */
export function digestBefore({ edits, old }: ImageChange): string | undefined {
  const written = edits.map(({ form, before }) =>
    form === 'sha' ? before : form === 'digest' ? tryParseReference(before)?.digest : undefined,
  );
  const digest = written.find((candidate) => candidate !== undefined && DIGEST.test(candidate));
  return digest ?? edits[0]?.scan.history.find(({ value }) => old.includes(value.tag))?.value.digest;
}
