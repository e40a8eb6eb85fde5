import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf, isSHA256, isNamedBy } from '../../registry/digest.ts';

// FIPS 180-4, the examples of NIST for "abc".
const ABC = Buffer.from('abc');
const SHA256 = 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
const SHA512 =
  'sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f';

test('names bytes by SHA-256, and knows them by SHA-512 too', () => {
  assert.equal(digestOf(ABC), SHA256);
  assert.deepEqual([isSHA256(SHA256), isSHA256(SHA512)], [true, false]);
  for (const digest of [SHA256, SHA512]) {
    assert.ok(isNamedBy(digest, ABC));
    assert.ok(!isNamedBy(digest, Buffer.from('abd')));
  }
});

for (const text of [
  '',
  'abc',
  SHA256.toUpperCase(),
  `${SHA256}0`,
  SHA256.slice(0, -1),
  `blake3:${SHA256.slice(7)}`,
]) {
  test(`${JSON.stringify(text)} names nothing`, () => {
    assert.ok(!isSHA256(text));
    assert.ok(!isNamedBy(text, ABC));
  });
}
