import { GROUP } from '../kube/kinds/common.ts';
import { UsageError } from './failure.ts';

const SCAN_PREFIX = /^(?:imagescans?|imgscan)(?:\.fleetscan\.io)?\//;

/**
 * The name of an ImageScan as the user gave it: bare, or with its kind in front as `-o name` prints it.
 *
 * @throws {UsageError} when it can be no name of an ImageScan
 */
export function scanName(text: string): string {
  return pathSegment('an ImageScan', text.replace(SCAN_PREFIX, ''));
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
export function resourceType(kind: 'ImageScan' | 'GitRepo'): string {
  return `${kind.toLowerCase()}.${GROUP}`;
}

/** An object as kubectl writes it: `imagescan.fleetscan.io/web`. */
export function resourceName(kind: 'ImageScan' | 'GitRepo', name: string): string {
  return `${resourceType(kind)}/${name}`;
}
