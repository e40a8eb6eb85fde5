import forge from 'node-forge';
import type { KeySource } from '../../certs/authority.ts';

/**
 * Key pairs that are quick to make and to sign with. 512 bits are enough for a SHA-256 signature and for X509Certificate to
 * verify it; a TLS handshake refuses them.
 */
export async function smallKeys(count: number): Promise<KeySource> {
  const keys = await Promise.all(Array.from({ length: count }, newKeys));
  let next = 0;
  return () => {
    const pair = keys[next % keys.length]!;
    next += 1;
    return Promise.resolve(pair);
  };
}

function newKeys(): Promise<forge.pki.rsa.KeyPair> {
  return new Promise((resolve, reject) => {
    forge.pki.rsa.generateKeyPair({ bits: 512 }, (error: Error | null, keys) => {
      if (error) reject(error);
      else resolve(keys);
    });
  });
}
