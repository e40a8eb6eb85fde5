import { createHash } from 'node:crypto';

/** The algorithms that the OCI image specification registers and Node.js has (descriptor.md, "Registered Algorithms"). */
const DIGEST = /^(?:(sha256):[0-9a-f]{64}|(sha512):[0-9a-f]{128})$/;

/** Is it a digest of the form by which references name images here: `sha256:` and 64 hexadecimal digits? */
export function isSHA256(text: string): boolean {
  return DIGEST.exec(text)?.[1] !== undefined;
}

/** The SHA-256 digest of bytes. */
export function digestOf(bytes: Buffer): string {
  return hash('sha256', bytes);
}

/** Are these the bytes that a digest names? Never those of a digest in an algorithm that is not known here. */
export function isNamedBy(digest: string, bytes: Buffer): boolean {
  const [, sha256, sha512] = DIGEST.exec(digest) ?? [];
  const algorithm = sha256 ?? sha512;
  return algorithm !== undefined && hash(algorithm, bytes) === digest;
}

function hash(algorithm: string, bytes: Buffer): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}
