import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { issueAuthority, issueServing, type KeyedCertificate } from '../../certs/authority.ts';
import { type ServingCertificate, servingCertificates } from '../../certs/serving.ts';
import type { KubeClient } from '../../kube/client.ts';
import { smallKeys } from './keys.ts';

const now = new Date('2030-01-01T00:00:00Z');
const MINUTE_MS = 60_000;
type Line = { type: string; object: object };

describe('servingCertificates', async () => {
  const newKeys = await smallKeys(8);
  const authority = await issueAuthority({ now, validMs: 60 * MINUTE_MS }, newKeys);
  const issue = (at = now) =>
    issueServing({ authority, dnsNames: ['x'], ipAddresses: [], now: at, validMs: 10 * MINUTE_MS }, newKeys);
  const [first, second] = [await issue(), await issue()];
  const foreignKey = { ...second, key: first.key };

  it('gives what is there and then each new certificate once', async () => {
    const { given, errors } = await follow([secret(first)], [put(first), put(second), alive, put(second)]);
    assert.deepEqual(
      given.map(({ cert }) => cert),
      [first.certificate, second.certificate],
    );
    assert.deepEqual(given[0]?.expires, new Date(now.getTime() + 10 * MINUTE_MS));
    assert.deepEqual(errors, []);
  });

  it('waits for a Secret that does not exist yet, and says so once', async () => {
    const { given, errors } = await follow([], [alive, alive, put(first)]);
    assert.deepEqual(
      given.map(({ key }) => key),
      [first.key],
    );
    assert.deepEqual(errors, ['Secret ns/cert: there is no certificate']);
  });

  it('never gives a spoilt one, and says what is wrong', async () => {
    const lines = [
      put(foreignKey),
      { type: 'MODIFIED', object: { metadata: meta } },
      deleted,
      put({ ...first, certificate: 'x' }),
      put(second),
    ];
    const { given, errors } = await follow([secret(first)], lines);
    assert.deepEqual(
      given.map(({ cert }) => cert),
      [first.certificate, second.certificate],
    );
    assert.match(errors[0] ?? '', /^Secret ns\/cert: the private key does not belong/);
    assert.match(errors[1] ?? '', /there is no certificate/);
    assert.match(errors[2] ?? '', /does not parse/);
    assert.equal(errors.length, 3);
  });

  it('finds one that becomes valid when the clock gets there', async () => {
    const early = await issue(new Date(now.getTime() + 8 * MINUTE_MS));
    let time = now.getTime();
    const clock = () => new Date((time += 2 * MINUTE_MS) - 2 * MINUTE_MS);
    const { given, errors } = await follow([secret(early)], [alive, alive], clock);
    assert.deepEqual(
      given.map(({ cert }) => cert),
      [early.certificate],
    );
    assert.equal(errors.length, 1);
    assert.match(errors[0] ?? '', /is the clock right/);
  });
});

/** What comes of a Secret that is listed like this, then changes like that. */
async function follow(items: object[], lines: Line[], clock = () => now) {
  const end = new AbortController();
  const client = {
    list: () => Promise.resolve({ metadata: { resourceVersion: '1' }, items }),
    async *watchLines() {
      for (const line of lines) yield JSON.stringify(line);
      end.abort();
    },
  };
  const given: ServingCertificate[] = [];
  const errors: string[] = [];
  const certificates = servingCertificates(client as unknown as KubeClient, {
    namespace: 'ns',
    secretName: 'cert',
    signal: end.signal,
    onError: (error) => errors.push(error.message),
    now: clock,
  });
  for await (const certificate of certificates) given.push(certificate);
  return { given, errors };
}

const meta = { namespace: 'ns', name: 'cert', resourceVersion: '2' };
const alive: Line = { type: 'BOOKMARK', object: { metadata: meta } };
const deleted: Line = { type: 'DELETED', object: { metadata: meta } };

function put(pair: KeyedCertificate): Line {
  return { type: 'MODIFIED', object: secret(pair) };
}

function secret({ certificate, key }: KeyedCertificate): object {
  const data = { 'tls.crt': btoa(certificate), 'tls.key': btoa(key), 'ca.key': btoa('not for us') };
  return { metadata: meta, data };
}
