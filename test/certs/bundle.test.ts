import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { issueAuthority, issueServing } from '../../certs/authority.ts';
import { bundleText, issuedAt, issuerOf, readAuthorities, readPair, renewalOf } from '../../certs/bundle.ts';
import { smallKeys } from './keys.ts';

const now = new Date('2030-01-01T00:00:00Z');
const MINUTE_MS = 60_000;
const later = (ms: number) => new Date(now.getTime() + ms);

describe('bundles', async () => {
  const newKeys = await smallKeys(4);
  const a = await issueAuthority({ now, validMs: 30 * MINUTE_MS }, newKeys);
  const b = await issueAuthority({ now, validMs: 60 * MINUTE_MS }, newKeys);
  const leaf = await issueServing(
    { authority: b, dnsNames: ['x'], ipAddresses: [], now, validMs: 30 * MINUTE_MS },
    newKeys,
  );
  const read = (text: string, at = now) =>
    readAuthorities(text, at).map((certificate) => certificate.toString());

  it('are read back as they were written', () => {
    const text = bundleText(readAuthorities(a.certificate + b.certificate, now));
    assert.equal(text, a.certificate + b.certificate);
    assert.deepEqual(read(text), [a.certificate, b.certificate]);
  });

  it('yield the good authorities whatever else they hold', () => {
    const broken = a.certificate.replace(/\n[^\n]+\n/, '\n!!\n');
    const crlf = b.certificate.replaceAll('\n', '\r\n');
    const text = `# comment\n${broken}${leaf.certificate}${crlf}${a.certificate}${a.certificate}-----BEGIN CERTIFICATE-----`;
    assert.deepEqual(read(text), [b.certificate, a.certificate]);
    assert.deepEqual(read(''), []);
  });

  it('yield no authority that has expired', () => {
    assert.deepEqual(read(a.certificate + b.certificate, later(30 * MINUTE_MS)), [b.certificate]);
  });

  it('are read in linear time', () => {
    const hostile = '-----BEGIN CERTIFICATE-----'.repeat(100_000);
    const begun = performance.now();
    assert.deepEqual(read(hostile), []);
    assert.ok(performance.now() - begun < 2000);
  });

  it('tell which authority signed', () => {
    const serving = new X509Certificate(leaf.certificate);
    const authorities = readAuthorities(a.certificate + b.certificate, now);
    assert.equal(issuerOf(serving, authorities)?.toString(), b.certificate);
    assert.equal(issuerOf(serving, authorities.slice(0, 1)), undefined);
  });

  it('tell when to renew: at two thirds of the life since the issue', () => {
    const serving = new X509Certificate(leaf.certificate);
    assert.equal(issuedAt(serving), now.getTime());
    assert.equal(renewalOf(serving), now.getTime() + 20 * MINUTE_MS);
  });

  describe('readPair', () => {
    const cases: [string, { certificate: string; key: string }, Date, string][] = [
      ['no certificate', { ...leaf, certificate: ' \n' }, now, 'Missing'],
      ['no key', { ...leaf, key: '' }, now, 'Missing'],
      ['a certificate that does not parse', { ...leaf, certificate: leaf.key }, now, 'InvalidCertificate'],
      ['a key that does not parse', { ...leaf, key: 'c2VjcmV0' }, now, 'InvalidKey'],
      ["another's key", { ...leaf, key: a.key }, now, 'KeyMismatch'],
      ['an expired one', leaf, later(30 * MINUTE_MS), 'Expired'],
      ['one of the future', leaf, later(-6 * MINUTE_MS), 'NotYetValid'],
    ];
    for (const [what, pair, at, code] of cases) {
      it(`refuses ${what}`, () => {
        assert.throws(
          () => readPair(pair, at),
          (error: Error & { code?: string }) => error.code === code && !error.message.includes('c2VjcmV0'),
        );
      });
    }

    it('accepts a good pair, with a chain behind it and a clock a little behind', () => {
      const chained = { ...leaf, certificate: leaf.certificate + b.certificate };
      assert.equal(readPair(chained, later(-4 * MINUTE_MS)).toString(), leaf.certificate);
    });
  });
});
