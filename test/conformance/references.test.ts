import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { runReferences } from './references.ts';

const FILE = join(import.meta.dirname, 'cases', 'references.json');
const failures = (cases: object): (string | undefined)[] =>
  runReferences(JSON.stringify({ images: [], secrets: [], ...cases })).flatMap(({ name, failure }) =>
    failure === undefined ? [] : [`${name}${failure}`],
  );

describe('reference cases', () => {
  it('all of references.json pass', () => {
    const outcomes = runReferences(readFileSync(FILE, 'utf8'));
    assert.equal(outcomes.length, 41);
    assert.deepEqual(
      outcomes.filter(({ failure }) => failure !== undefined),
      [],
    );
  });

  const nginx = { image: 'nginx', canonical: 'index.docker.io/library/nginx', registry: 'index.docker.io' };
  const pull = '{"auths":{"ghcr.io/acme":{"auth":"dTpw"}}}';
  const missing = { dockerconfigjson: pull, registry: 'ghcr.io', result: null, error: 'not found' };
  for (const [what, cases] of [
    ['another canonical name', { images: [{ ...nginx, canonical: 'docker.io/nginx', scheme: 'https' }] }],
    ['another scheme', { images: [{ ...nginx, scheme: 'http' }] }],
    [
      'an error that does not come',
      { images: [{ image: 'nginx', error: 'could not parse reference: nginx' }] },
    ],
    ['an entry that is for another host', { secrets: [{ ...missing, registry: 'quay.io' }] }],
    [
      'another password',
      {
        secrets: [
          { ...missing, result: '&{Username:u Password:x Auth:dTp4 IdentityToken: RegistryToken:} <nil>' },
        ],
      },
    ],
  ] as const) {
    it(`fails with ${what}`, () => {
      assert.equal(failures(cases).length, 1);
    });
  }

  it('finds the entry of a path, which Fleet does not', () => {
    assert.deepEqual(failures({ secrets: [missing] }), []);
  });
});
