import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { runWriteback } from './writeback.ts';

const casesOf = (file: string): string => readFileSync(new URL(`cases/${file}`, import.meta.url), 'utf8');

const SUITES = [
  ['write-back cases', runWriteback(casesOf('writeback.json')), 60],
  ['write-back cases with compatibility Fleet', runWriteback(casesOf('writeback.json'), 'Fleet'), 60],
  [
    'write-back cases of compatibility Fleet',
    runWriteback(casesOf('writeback-compatible.json'), 'Fleet'),
    35,
  ],
] as const;

for (const [title, outcomes, count] of SUITES) {
  describe(title, () => {
    for (const [index, { name, failure }] of outcomes.entries()) {
      it(`${index + 1} ${name}`, () => assert.equal(failure, undefined));
    }

    it('are all there', () => assert.equal(outcomes.length, count));
  });
}

describe('runWriteback', () => {
  const one = {
    name: 'one',
    path: '.',
    scans: [{ tagName: 'app', latestImage: 'ghcr.io/acme/app:2', latestTag: '2', latestDigest: '' }],
    files: { 'a.yaml': 'image: old # {"$imagescan": "app"}\n', 'b.json': '{}' },
    error: null as string | null,
    changed: { 'a.yaml': 'image: ghcr.io/acme/app:2 # {"$imagescan": "app"}\n' } as Record<string, string>,
  };
  const failureOf = (change: Partial<typeof one>): string | undefined =>
    runWriteback(JSON.stringify({ cases: [{ ...one, ...change }] }))[0]?.failure;

  it('passes what is as it should be', () => assert.equal(failureOf({}), undefined));
  it('fails when a file was to be changed in another way', () =>
    assert.match(
      failureOf({ changed: { 'a.yaml': 'image: x\n' } }) ?? '',
      /^a\.yaml: wanted "image: x\\n", came "image: gh/,
    ));
  it('fails when a file was to stay as it is', () =>
    assert.match(failureOf({ changed: {} }) ?? '', /^a\.yaml: wanted "image: old/));
  it('fails when a file was to appear', () =>
    assert.match(
      failureOf({ changed: { ...one.changed, 'c.yaml': 'x' } }) ?? '',
      /^c\.yaml: wanted "x", came undefined/,
    ));
  it('fails when an error was to come', () =>
    assert.match(failureOf({ error: 'no' }) ?? '', /wanted the error "no"/));
  it('takes a path that leads out for the error wanted', () =>
    assert.equal(
      failureOf({ path: '../x', error: 'path "../x" resolves outside the repository root' }),
      undefined,
    ));
  it('fails on an error that was not wanted', () =>
    assert.match(failureOf({ path: 'x' }) ?? '', /not in the repository/));
  it('refuses what is no file of cases', () =>
    assert.throws(() => runWriteback('{"cases": [{"name": "x"}]}'), /scans/));
});
