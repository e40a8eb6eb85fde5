import { CodedError } from './errors.ts';
import { oneLine } from './one-line.ts';

/**
 * What a marked place takes from the value in force: `NAME` the image, `NAME:name`, `NAME:tag`, `NAME:digest` (name, tag
 * and digest) or `NAME:sha` (the digest alone).
 */
export type Form = 'image' | 'name' | 'tag' | 'digest' | 'sha';

/** One way to read a marker: the scan it names and the form it asks for. */
export interface Reading {
  /** Set when the marker names a scan of another namespace, as `namespace/name`. */
  readonly namespace?: string;
  readonly tagName: string;
  readonly form: Form;
}

/**
 * A marker. `readings` holds one or two ways to read it, to be tried in order: a scan whose tagName is the whole text
 * comes before the form that a suffix asks for, since `app:tag` may be a tagName (Fleet looks markers up the same way).
 */
export interface Marker {
  readonly text: string;
  readonly readings: readonly [Reading, ...Reading[]];
}

/** Why a marker is refused: not one JSON object, a value in it that is no string, no scan named, or a suffix we do not know. */
export type MarkerErrorCode = 'InvalidMarker' | 'UnknownForm';
/** Thrown by {@link parseCommentMarker} and {@link parseAnnotationMarker}. */
export class MarkerError extends CodedError<MarkerErrorCode> {}

const SUFFIX_FORMS: ReadonlyMap<string, Form> = new Map([
  ['name', 'name'],
  ['tag', 'tag'],
  ['digest', 'digest'],
  ['sha', 'sha'],
]);
const KEY = '$imagescan';
/** A file or comment without these bytes holds no marker, nor anything that was meant for one. */
export const MARKER_BYTES = KEY;
/** What speaks of us, also with the wrong quotes or none; Fleet passes over the latter without a word. */
const MEANT_FOR_MARKER = /["']\$imagescan["']|\{\s?["']?\$imagescan["']?\s?:/;

/** The prefix of the pod annotations that hold a marker; the rest of the key names the container or image volume. */
export const MARKER_ANNOTATION_PREFIX = 'imagescan.fleetscan.io/';

/** Whether a comment is meant for a marker, well written or not. */
export function speaksOfUs(comment: string): boolean {
  return MEANT_FOR_MARKER.test(comment);
}

/** Whether a comment holds a whole line that was taken out, its own comment with it: `# image: web:1 # {"$imagescan": "web"}`. */
export function isCommentedOut(comment: string): boolean {
  return /^#+\s*[^\s#].*\s#/.test(comment);
}

/**
 * Reads a YAML comment by Fleet's grammar: leading `#` signs, then one JSON object of strings and nothing else.
 *
 * @returns the marker, or undefined when the comment does not speak of us at all
 * @throws {MarkerError} when it does and cannot be read
 */
export function parseCommentMarker(comment: string): Marker | undefined {
  if (!speaksOfUs(comment)) return undefined;
  return parseJsonMarker(comment.replace(/^#+/, ''));
}

/**
 * Reads the value of a marker annotation: the JSON of a comment marker, or the short form `NAME[:form]`.
 *
 * @throws {MarkerError} when it cannot be read
 */
export function parseAnnotationMarker(value: string): Marker {
  const text = value.trim();
  return text.startsWith('{') ? parseJsonMarker(text) : readMarker(text);
}

function parseJsonMarker(json: string): Marker {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    throw new MarkerError('InvalidMarker', `marker ${quote(json)} is not JSON; write {"${KEY}": "NAME"}`);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new MarkerError('InvalidMarker', `marker ${quote(json)} is not a JSON object`);
  }
  const notText = Object.entries(parsed).find(([, value]) => typeof value !== 'string' && value !== null);
  if (notText !== undefined) {
    throw new MarkerError(
      'InvalidMarker',
      `marker ${quote(json)}: the value of ${quote(notText[0])} is not a string`,
    );
  }
  const text: unknown = Object.getOwnPropertyDescriptor(parsed, KEY)?.value;
  if (typeof text !== 'string')
    throw new MarkerError('InvalidMarker', `marker ${quote(json)} has no "${KEY}"`);
  return readMarker(text);
}

function readMarker(text: string): Marker {
  if (text === '') throw new MarkerError('InvalidMarker', 'the marker names no scan');
  const whole = { ...splitNamespace(text), form: 'image' as const };
  const colon = text.lastIndexOf(':');
  const form = colon > 0 ? SUFFIX_FORMS.get(text.slice(colon + 1)) : undefined;
  const readings: Marker['readings'] =
    form === undefined ? [whole] : [whole, { ...splitNamespace(text.slice(0, colon)), form }];
  return { text, readings };
}

/**
 * The error for a marker that no scan answers to, when the reason is its suffix: `app:foo` where `foo` is no form.
 * Only the caller, who looked for the scan, can tell that it is not simply a tagName with a colon.
 */
export function unknownFormError(marker: Marker): MarkerError | undefined {
  const colon = marker.text.lastIndexOf(':');
  if (colon <= 0 || marker.readings.length > 1) return undefined;
  const suffix = marker.text.slice(colon + 1);
  return new MarkerError(
    'UnknownForm',
    `"${oneLine(suffix)}" is no form of a marker; use :name, :tag, :digest, :sha or none`,
  );
}

// Fleet reads the text as a JSON pointer in a URI fragment (RFC 6901 §6), so a tagName's own slash is written ~1 and %20
// stands for a space. That leaves the plain slash free to set a namespace apart.
function splitNamespace(text: string): { namespace?: string; tagName: string } {
  const slash = text.indexOf('/');
  if (slash < 0) return { tagName: unescapePointer(text) };
  return { namespace: text.slice(0, slash), tagName: unescapePointer(text.slice(slash + 1)) };
}

function unescapePointer(text: string): string {
  return decodePercent(text).replaceAll('~1', '/').replaceAll('~0', '~');
}

function decodePercent(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function quote(text: string): string {
  return JSON.stringify(oneLine(text, 60));
}
