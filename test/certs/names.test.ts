import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { issueAuthority, issueServing } from '../../certs/authority.ts';
import { isFor, servingNames } from '../../certs/names.ts';
import { smallKeys } from './keys.ts';

const service = { service: 'fleetscan', namespace: 'fleetscan-system' };
const SERVICE_NAME = 'fleetscan.fleetscan-system.svc';

describe('servingNames', () => {
  const cases: [string | undefined, string[], string[]][] = [
    [undefined, [SERVICE_NAME], []],
    ['https://127.0.0.1:9443/mutate', [SERVICE_NAME], ['127.0.0.1']],
    ['https://[::1]:9443/mutate', [SERVICE_NAME], ['::1']],
    ['https://Hooks.Example.org/mutate', [SERVICE_NAME, 'hooks.example.org'], []],
    [`https://${SERVICE_NAME}/mutate`, [SERVICE_NAME], []],
  ];
  for (const [url, dnsNames, ipAddresses] of cases) {
    it(`of ${url ?? 'a Service alone'}`, () => {
      assert.deepEqual(servingNames({ ...service, ...(url !== undefined && { url }) }), {
        dnsNames,
        ipAddresses,
      });
    });
  }

  for (const wrong of [{ url: 'hooks' }, { service: 'a b' }, { namespace: '*' }, { url: 'https://a_b/' }]) {
    it(`refuses ${JSON.stringify(wrong)}`, () => {
      assert.throws(() => servingNames({ ...service, ...wrong }), {
        name: 'CertificateError',
        code: 'InvalidName',
      });
    });
  }
});

describe('isFor', async () => {
  const newKeys = await smallKeys(2);
  const now = new Date();
  const names = { dnsNames: [SERVICE_NAME, 'localhost'], ipAddresses: ['127.0.0.1', 'fd00::1'] };
  const authority = await issueAuthority({ now, validMs: 60_000 }, newKeys);
  const leaf = await issueServing({ authority, ...names, now, validMs: 60_000 }, newKeys);
  const certificate = new X509Certificate(leaf.certificate);

  it('is true for the names it was issued for, in any order and spelling', () => {
    assert.ok(isFor(certificate, names));
    assert.ok(
      isFor(certificate, {
        dnsNames: names.dnsNames.toReversed(),
        ipAddresses: ['fd00:0:0::1', '127.0.0.1'],
      }),
    );
    assert.ok(isFor(certificate, { ...names, dnsNames: [...names.dnsNames, 'localhost'] }));
  });

  it('is false for one more, one less or another', () => {
    assert.ok(!isFor(certificate, { ...names, dnsNames: [...names.dnsNames, 'other'] }));
    assert.ok(!isFor(certificate, { ...names, ipAddresses: ['127.0.0.1'] }));
    assert.ok(!isFor(certificate, { ...names, ipAddresses: ['127.0.0.1', 'fd00::2'] }));
    assert.ok(!isFor(new X509Certificate(authority.certificate), names));
  });
});
