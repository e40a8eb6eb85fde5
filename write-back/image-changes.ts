import { oneLine } from '../core/one-line.ts';
import { tryParseReference } from '../core/reference.ts';
import type { Value } from '../core/value.ts';
import type { FileEdit } from './plan.ts';

/** What the edits make of one image: a value that is now in Git, and all places that it came to. */
export interface ImageChange {
  readonly value: Value;
  /** The tags that it takes the place of, or, where only digests are written, those; each once, in the order met. */
  readonly old: readonly string[];
  /** Tag or, where only digests are written, digest of the value. */
  readonly now: string;
  readonly edits: readonly FileEdit[];
}

/** The edits by the value that they write, in the order in which those come first. */
export function imageChanges(edits: readonly FileEdit[]): ImageChange[] {
  const groups = new Map<string, { value: Value; edits: FileEdit[] }>();
  for (const edit of edits) {
    const value = edit.scan.inForce;
    if (value === undefined) continue;
    const key = `${value.canonicalName}:${value.tag}@${value.digest}`;
    const group = groups.get(key) ?? { value, edits: [] };
    group.edits.push(edit);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ value, edits }) => ({ value, edits, ...versions(value, edits) }));
}

function versions(value: Value, edits: readonly FileEdit[]): Pick<ImageChange, 'old' | 'now'> {
  const tags = distinct(edits.map(oldTag));
  const digests = distinct(edits.map(oldDigest).map(shortDigest));
  const movesOnly = tags.every((tag) => tag === value.tag) && digests.length > 0;
  return movesOnly ? { old: digests, now: shortDigest(value.digest) } : { old: tags, now: value.tag };
}

/** The tag that an edit takes away; empty where there was none. */
export function oldTag({ form, before }: Pick<FileEdit, 'form' | 'before'>): string {
  if (form === 'tag') return oneLine(before, 128);
  return form === 'image' || form === 'digest' ? (tryParseReference(before)?.tag ?? '') : '';
}

function oldDigest({ form, before }: FileEdit): string {
  if (form === 'sha') return oneLine(before, 80);
  return form === 'digest' ? (tryParseReference(before)?.digest ?? '') : '';
}

const DIGEST = /^(sha256:[0-9a-f]{12})[0-9a-f]{52}$/;

/** A digest as people tell it from others: its first twelve digits. */
export function shortDigest(digest: string): string {
  return DIGEST.exec(digest)?.[1] ?? digest;
}

/** The last part of an image's name. */
export function shortName({ name }: Value): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

/** `web 1.2.3 → 1.2.4`, on one line. */
export function changeText({ value, old, now }: ImageChange): string {
  const from = old.filter((version) => version !== now).join(', ');
  return oneLine(`${shortName(value)} ${from === '' ? now : `${from} → ${now}`}`, 200);
}

/** Letters that fit into the first line of a commit, as Git's tools show it. */
const LINE = 72;

/** `Update images: web 1.2.3 → 1.2.4`, or, where that is too long for a line, `Update 3 images`. */
export function summary(changes: readonly ImageChange[]): string {
  const [first, ...more] = changes;
  if (first === undefined) return 'Update images';
  const full = `Update images: ${changes.map(changeText).join(', ')}`;
  if (full.length <= LINE) return full;
  return more.length === 0 ? oneLine(full, 200) : `Update ${changes.length} images`;
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts.filter((text) => text !== ''))];
}
