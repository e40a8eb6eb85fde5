import type { Form } from './marker.ts';
import { canonicalName, type Reference, tryParseReference, versionSuffix } from './reference.ts';

/** What a scan has in force: what pods get and Git is told. */
export interface Value {
  /** The image's name as the scan's spec spells it, without tag: `nginx`. */
  readonly name: string;
  /** The same name in its canonical spelling: `index.docker.io/library/nginx`. */
  readonly canonicalName: string;
  readonly tag: string;
  /** Digest of what the tag names; for a multi-arch image that is the index. */
  readonly digest: string;
  /** How the name is written: as it stands where it is written to, or as Fleet does. As it stands when absent. */
  readonly spelling?: 'Canonical';
}

/**
 * The text that a marked scalar in Git becomes.
 *
 * @param current the scalar as it stands: where it names the same repository in another spelling, its spelling is kept
 */
export function scalarText(form: Form, value: Value, current: string): string {
  const name = spelledName(value, tryParseReference(current));
  switch (form) {
    case 'image':
      return `${name}:${value.tag}`;
    case 'name':
      return name;
    case 'tag':
      return value.tag;
    case 'digest':
      return `${name}:${value.tag}@${value.digest}`;
    case 'sha':
      return value.digest;
  }
}

/**
 * The image that a marked container gets.
 *
 * @param current the container's image; a form that speaks of one part only keeps its other parts
 * @returns undefined when the form needs a part of `current` and `current` is no image reference
 */
export function containerImage(form: Form, value: Value, current: string): string | undefined {
  const had = tryParseReference(current);
  const name = spelledName(value, had);
  switch (form) {
    case 'image':
      return `${name}:${value.tag}`;
    case 'digest':
      return `${name}:${value.tag}@${value.digest}`;
    case 'name':
      return had && `${name}${versionSuffix(had)}`;
    case 'tag':
      return had && `${had.name}:${value.tag}`;
    case 'sha':
      return had && `${had.name}@${value.digest}`;
  }
}

function spelledName(value: Value, had: Reference | undefined): string {
  if (value.spelling === 'Canonical') return value.canonicalName;
  return had !== undefined && canonicalName(had) === value.canonicalName ? had.name : value.name;
}
