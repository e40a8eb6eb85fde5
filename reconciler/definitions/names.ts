import { createHash } from 'node:crypto';
import { isObjectName, MAX_OBJECT_NAME } from '../../kube/kinds/object-name.ts';

const MAX_LABEL = 63;
const HASH = 10;

/** The value of the label that the scans of a GitRepo bear: its name, shortened with a hash where a label cannot hold it. */
export function labelFor(gitRepo: string): string {
  return gitRepo.length <= MAX_LABEL ? gitRepo : hashed(gitRepo, gitRepo, MAX_LABEL);
}

/**
 * The names that the ImageScan of a definition may bear, the best first: `<gitrepo>-<tagName>` where that is a valid name, then the same
 * with a hash, for where it is taken.
 */
export function namesFor(gitRepo: string, tagName: string): string[] {
  const plain = `${gitRepo}-${tagName}`;
  const other = hashed(plain, JSON.stringify([gitRepo, tagName]), MAX_OBJECT_NAME);
  return isObjectName(plain) ? [plain, other] : [other];
}

/** A text that is valid in a name and in a label, and that no other `identity` has. */
function hashed(text: string, identity: string, length: number): string {
  const hash = createHash('sha256').update(identity).digest('hex').slice(0, HASH);
  const readable = text.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
  return `${readable.slice(0, length - HASH - 1).replaceAll(/^-|-$/g, '')}-${hash}`;
}
