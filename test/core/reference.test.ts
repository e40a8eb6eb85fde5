import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  canonicalName,
  parseReference,
  ReferenceError,
  tryParseReference,
  versionSuffix,
} from '../../core/reference.ts';
import { digest } from './samples.ts';

const CASES = join(import.meta.dirname, '../conformance/cases/references.json');
type Row = { image: string; canonical?: string; registry?: string; error?: string };
const { images }: { images: Row[] } = JSON.parse(readFileSync(CASES, 'utf8'));

function isRefused(text: string): (error: unknown) => boolean {
  return (error) =>
    error instanceof ReferenceError &&
    error.code === 'InvalidReference' &&
    error.message === `could not parse reference: ${text}`;
}

describe("Fleet's references", () => {
  it('are all there', () => assert.equal(images.length, 32));

  for (const { image, canonical, registry, error } of images) {
    if (error !== undefined) {
      it(`"${image}" is refused in the same words`, () => {
        assert.throws(() => parseReference(image), isRefused(image));
        assert.equal(`could not parse reference: ${image}`.trim(), error);
      });
    } else {
      it(`"${image}" is ${canonical} at ${registry}`, () => {
        const reference = parseReference(image);
        assert.equal(canonicalName(reference), canonical);
        assert.equal(reference.registry, registry);
      });
    }
  }
});

describe('parseReference', () => {
  it('takes everything apart', () => {
    assert.deepEqual(parseReference(`ghcr.io:443/acme/app:1.2@${digest()}`), {
      name: 'ghcr.io:443/acme/app',
      registry: 'ghcr.io:443',
      repository: 'acme/app',
      tag: '1.2',
      digest: digest(),
    });
  });

  const spelled: [text: string, name: string, canonical: string, why: string][] = [
    ['nginx:1', 'nginx', 'index.docker.io/library/nginx', 'the name is as it was written'],
    ['docker.io/library/nginx:1', 'docker.io/library/nginx', 'index.docker.io/library/nginx', 'all of it'],
    [
      'index.docker.io/nginx',
      'index.docker.io/nginx',
      'index.docker.io/library/nginx',
      "the hub's other name",
    ],
    [
      'docker.io/acme/app',
      'docker.io/acme/app',
      'index.docker.io/acme/app',
      'library is for lone names only',
    ],
    [
      'nginx:5000',
      'nginx',
      'index.docker.io/library/nginx',
      'what looks like a port is a tag when no path follows',
    ],
    ['reg:5000/ab:5000', 'reg:5000/ab', 'reg:5000/ab', 'port and tag'],
    ['[::1]:5000/app', '[::1]:5000/app', '[::1]:5000/app', 'an IPv6 host'],
    ['Reg.Example.COM/app', 'Reg.Example.COM/app', 'Reg.Example.COM/app', 'a host may have capitals'],
  ];
  for (const [text, name, canonical, why] of spelled) {
    it(`${text}: ${why}`, () => {
      const reference = parseReference(text);
      assert.equal(reference.name, name);
      assert.equal(canonicalName(reference), canonical);
    });
  }

  const refused: [text: string, why: string][] = [
    [':1.2', 'no name: a container without image must not become library/'],
    [`@${digest()}`, 'no name either'],
    ['docker.io/', 'nor here'],
    ['a', 'one letter is too short, as it is for Fleet'],
    ['docker.io/a', 'even where library/ is put before it'],
    ['ab:', 'an empty tag'],
    ['ab@', 'an empty digest'],
    [`ab@${digest()}@${digest()}`, 'two digests'],
    [`ab@${digest('A')}`, 'a digest in capitals'],
    [`ab@sha512:${'a'.repeat(128)}`, 'another algorithm'],
    [`ab:${'t'.repeat(129)}`, 'a tag that is too long'],
    [`ghcr.io/${'r'.repeat(256)}`, 'a repository that is too long'],
    ['ab:t\n', 'a line end'],
    ['ab c', 'a space'],
    ['reg:port/app', 'a port that is no number'],
    ['a:b:c/app', 'two ports'],
    ['[::1/app', 'half a bracket'],
    ['äpfel/app', 'letters beyond ASCII'],
  ];
  for (const [text, why] of refused) {
    it(`refuses ${JSON.stringify(text.slice(0, 30))}: ${why}`, () => {
      assert.throws(() => parseReference(text), isRefused(text));
      assert.equal(tryParseReference(text), undefined);
    });
  }

  it('loses nothing of what it accepts, whatever the text', () => {
    const odd = fc.string({
      unit: fc.constantFrom('a', 'b', '/', ':', '.', '@', '-', 'sha256', '1', '[', ']', 'É'),
    });
    fc.assert(
      fc.property(odd, (text) => {
        const reference = tryParseReference(text);
        if (reference !== undefined) assert.equal(`${reference.name}${versionSuffix(reference)}`, text);
      }),
      { numRuns: 2000 },
    );
  });

  it('gives every part back, and the canonical name is its own canonical name', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'z', '0', '_', '-'), minLength: 2, maxLength: 5 });
    const host = fc.constantFrom('', 'docker.io/', 'index.docker.io/', 'localhost/', 'reg.local:5000/');
    const path = fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => words.join('/'));
    const parts = { host, path, tag: fc.option(word, { nil: undefined }), pinned: fc.boolean() };
    fc.assert(
      fc.property(fc.record(parts), ({ host, path, tag, pinned }) => {
        const reference = parseReference(
          `${host}${path}${tag ? `:${tag}` : ''}${pinned ? `@${digest()}` : ''}`,
        );
        assert.equal(reference.name, host + path);
        assert.equal(reference.tag, tag);
        assert.equal(reference.digest, pinned ? digest() : undefined);
        const canonical = canonicalName(reference);
        assert.equal(canonicalName(parseReference(canonical)), canonical);
      }),
    );
  });

  it('takes no longer over a long text than its length warrants', { timeout: 5000 }, () => {
    for (const piece of ['a', 'a/', 'a:', 'a@', '.', '[:'])
      assert.equal(tryParseReference(piece.repeat(500_000)), undefined);
  });
});
