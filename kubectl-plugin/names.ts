import { FLEET_GROUP, type Group, OWN_GROUP } from '../core/group.ts';
import { VERSION } from '../kube/kinds/common.ts';
import { UsageError } from './failure.ts';

/** What the user calls an ImageScan. */
export interface ScanRef {
  /** Absent where the user named none: then it is whichever has an ImageScan that is called so, see `ScanFinder`. */
  readonly group?: Group;
  readonly name: string;
}

const GROUPS: readonly Group[] = [OWN_GROUP, FLEET_GROUP];
const QUALIFIED = new RegExp(
  `^(?:imagescans?|(?<short>imgscan))(?:\\.(?:${VERSION}\\.)?(?<group>[^/]+))?/(?<name>.*)$`,
  's',
);

/**
 * The name of an ImageScan as the user gave it: bare, or with its kind in front as `-o name` prints it and kubectl takes it. The
 * short form `imgscan` is of our kind alone.
 *
 * @throws {UsageError} when it can be no name of an ImageScan, or its group is none that has them
 */
export function scanRef(text: string): ScanRef {
  const { short, group = short && OWN_GROUP, name = text } = QUALIFIED.exec(text)?.groups ?? {};
  const known = GROUPS.find((each) => each === group);
  if (group !== undefined && known === undefined) {
    const forms = GROUPS.map((each) => resourceName('ImageScan', 'NAME', each)).join(' or ');
    throw new UsageError('Usage', `"${text}": ${group} has no ImageScans; say ${forms}`);
  }
  return { name: pathSegment('an ImageScan', name), ...(known && { group: known }) };
}

/**
 * A name that becomes part of a path of the API; the API server allows in none what would lead elsewhere.
 *
 * @throws {UsageError}
 */
export function pathSegment(what: string, name: string): string {
  if (name === '') throw new UsageError('Usage', `the name of ${what} may not be empty`);
  if (name === '.' || name === '..' || /[/%]/.test(name))
    throw new UsageError('Usage', `"${name}" is not the name of ${what}`);
  return name;
}

/** A kind as kubectl writes it: `imagescan.fleetscan.io`. */
export function resourceType(kind: 'ImageScan' | 'GitRepo', group: Group = OWN_GROUP): string {
  return `${kind.toLowerCase()}.${group}`;
}

/** An object as kubectl writes it: `imagescan.fleetscan.io/web`. */
export function resourceName(kind: 'ImageScan' | 'GitRepo', name: string, group?: Group): string {
  return `${resourceType(kind, group)}/${name}`;
}
