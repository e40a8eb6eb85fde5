import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import forge from 'node-forge';
import { issueAuthority, issueServing } from '../../certs/authority.ts';
import { CLOCK_SKEW_MS } from '../../certs/bundle.ts';
import { smallKeys } from './keys.ts';

const now = new Date('2030-01-01T00:00:00Z');
const HOUR_MS = 3_600_000;
const names = { dnsNames: ['hook.ns.svc'], ipAddresses: ['127.0.0.1', '::1'] };

describe('issueAuthority and issueServing', async () => {
  const newKeys = await smallKeys(8);
  const authority = await issueAuthority({ now, validMs: 10 * HOUR_MS });
  const leaf = await issueServing({ authority, ...names, now, validMs: HOUR_MS });
  const ca = new X509Certificate(authority.certificate);
  const serving = new X509Certificate(leaf.certificate);
  const [caExtensions, leafExtensions] = [authority, leaf].map(({ certificate }) => {
    const parsed = forge.pki.certificateFromPem(certificate);
    return (name: string) => parsed.getExtension(name) as Record<string, unknown>;
  }) as [(name: string) => Record<string, unknown>, (name: string) => Record<string, unknown>];

  it('use RSA 2048 and SHA-256, with keys that fit', () => {
    for (const [certificate, { key }] of [
      [ca, authority],
      [serving, leaf],
    ] as const) {
      assert.equal(certificate.publicKey.asymmetricKeyType, 'rsa');
      assert.equal(certificate.publicKey.asymmetricKeyDetails?.modulusLength, 2048);
      assert.equal(certificate.signatureAlgorithm, 'sha256WithRSAEncryption');
      assert.ok(certificate.checkPrivateKey(createPrivateKey(key)));
    }
  });

  it('make a chain that verifies', () => {
    assert.ok(ca.ca && !serving.ca);
    assert.ok(ca.checkIssued(ca) && ca.verify(ca.publicKey));
    assert.ok(serving.checkIssued(ca) && serving.verify(ca.publicKey));
  });

  it('restrict what each certificate is for', () => {
    assert.partialDeepStrictEqual(caExtensions('basicConstraints'), {
      critical: true,
      cA: true,
      pathLenConstraint: 0,
    });
    assert.partialDeepStrictEqual(caExtensions('keyUsage'), {
      critical: true,
      keyCertSign: true,
      digitalSignature: false,
    });
    assert.partialDeepStrictEqual(leafExtensions('basicConstraints'), { critical: true, cA: false });
    assert.partialDeepStrictEqual(leafExtensions('keyUsage'), {
      critical: true,
      digitalSignature: true,
      keyCertSign: false,
    });
    assert.deepEqual(serving.keyUsage, ['1.3.6.1.5.5.7.3.1']);
  });

  it('name the wanted hosts, each once', async () => {
    assert.equal(serving.subjectAltName, 'DNS:hook.ns.svc, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1');
    const twice = { dnsNames: ['a', 'a'], ipAddresses: [] };
    const { certificate } = await issueServing({ authority, ...twice, now, validMs: HOUR_MS }, newKeys);
    assert.equal(new X509Certificate(certificate).subjectAltName, 'DNS:a');
  });

  it("link leaf and authority by the authority's key identifier", () => {
    const id = caExtensions('subjectKeyIdentifier')['subjectKeyIdentifier'];
    assert.match(String(id), /^[0-9a-f]{40}$/);
    const authorityKeyId = forge.util.bytesToHex(String(leafExtensions('authorityKeyIdentifier')['value']));
    assert.equal(authorityKeyId, `30168014${String(id)}`);
  });

  it('begin earlier by the clock skew and end with the authority at the latest', async () => {
    assert.equal(serving.validFromDate.getTime(), now.getTime() - CLOCK_SKEW_MS);
    assert.equal(serving.validToDate.getTime(), now.getTime() + HOUR_MS);
    const { certificate } = await issueServing({ authority, ...names, now, validMs: 99 * HOUR_MS }, newKeys);
    assert.deepEqual(new X509Certificate(certificate).validToDate, ca.validToDate);
  });

  it('give every certificate a positive serial of 128 bits', async () => {
    const serials = new Set([ca.serialNumber, serving.serialNumber]);
    for (let i = 0; i < 30; i += 1) {
      const { certificate } = await issueAuthority({ now, validMs: HOUR_MS }, newKeys);
      serials.add(new X509Certificate(certificate).serialNumber);
    }
    assert.equal(serials.size, 32);
    for (const serial of serials) assert.match(serial, /^[4-7][0-9A-F]{31}$/);
  });

  it('refuse names that cannot be', async () => {
    const error = { name: 'CertificateError', code: 'InvalidName' };
    for (const wrong of [
      { dnsNames: [], ipAddresses: [] },
      { dnsNames: ['*.x'], ipAddresses: [] },
      { dnsNames: [], ipAddresses: ['x'] },
    ]) {
      await assert.rejects(issueServing({ authority, ...wrong, now, validMs: HOUR_MS }, newKeys), error);
    }
  });

  it('let the event loop turn while a key is made', async () => {
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 1);
    await issueAuthority({ now, validMs: HOUR_MS });
    clearInterval(timer);
    assert.ok(turns > 0);
  });
});
