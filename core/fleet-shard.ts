import type { Operation } from './patch.ts';

/**
 * The label by which Fleet shares its objects out among its controllers. Each takes those of its own shard, and the default
 * one those that lack the label; what bears a value that is no controller's is passed over by all of them.
 */
export const SHARD_LABEL = 'fleet.cattle.io/shard-ref';
/** The shard that is ours. */
export const OWN_SHARD = 'fleetscan';
/** Annotation that keeps the shard that somebody had set before ours took its place. */
export const FORMER_SHARD_ANNOTATION = 'fleetscan.io/former-shard-ref';

type Texts = Readonly<Record<string, string>>;

/** The part of an object's metadata that is looked at. */
export interface Labelled {
  readonly labels?: Texts | null | undefined;
  readonly annotations?: Texts | null | undefined;
}

/** What is to change in an object's metadata, in the form of a merge patch: null takes an entry away. */
export interface MetadataChange {
  readonly labels: Readonly<Record<string, string | null>>;
  readonly annotations: Readonly<Record<string, string | null>>;
}

/**
 * The change that puts an ImageScan of Fleet's into our shard; undefined when it is there.
 *
 * What the label says otherwise is what its writer wants, so the former shard is taken from there and from nowhere else: an
 * annotation that is older than the label, or that was copied along, would bring back what nobody asked for.
 */
export function takeOver({ labels }: Labelled): MetadataChange | undefined {
  const shard = labels?.[SHARD_LABEL];
  if (shard === OWN_SHARD) return undefined;
  return {
    labels: { [SHARD_LABEL]: OWN_SHARD },
    annotations: { [FORMER_SHARD_ANNOTATION]: shard ?? null },
  };
}

/** The change that undoes {@link takeOver}; undefined when there is nothing of ours to take back. */
export function giveBack({ labels, annotations }: Labelled): MetadataChange | undefined {
  if (labels?.[SHARD_LABEL] !== OWN_SHARD) return undefined;
  const former = annotations?.[FORMER_SHARD_ANNOTATION];
  return {
    labels: { [SHARD_LABEL]: former !== undefined && isLabelValue(former) ? former : null },
    annotations: { [FORMER_SHARD_ANNOTATION]: null },
  };
}

/** The operations that make a change to an object that has metadata, and in it these labels and annotations. */
export function metadataOperations(metadata: Labelled, change: MetadataChange): Operation[] {
  return (['labels', 'annotations'] as const).flatMap((field) =>
    entryOperations(`/metadata/${field}`, metadata[field], change[field]),
  );
}

function entryOperations(
  path: string,
  before: Texts | null | undefined,
  change: Readonly<Record<string, string | null>>,
): Operation[] {
  const entries = Object.entries(change).filter(([key, value]) => value !== (before?.[key] ?? null));
  if (entries.length === 0) return [];
  if (before === undefined || before === null)
    return [{ op: 'add', path, value: Object.fromEntries(entries) }];
  return entries.map(([key, value]) => {
    const place = `${path}/${pointerToken(key)}`;
    return value === null ? { op: 'remove', path: place } : { op: 'add', path: place, value };
  });
}

/** A key as JSON Pointer (RFC 6901) writes it. */
function pointerToken(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** An annotation can hold what no label can, and the API server refuses an object with such a label. */
function isLabelValue(text: string): boolean {
  return /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/.test(text);
}
