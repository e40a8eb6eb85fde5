import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Blob, Listing } from '../../../git/repository.ts';
import { blobId } from '../../../git/blobs.ts';
import { definedBy, MAX_DEFINITIONS } from '../../../reconciler/definitions/defined.ts';
import { readDefinitionFiles } from '../../../reconciler/definitions/files.ts';
import { KnownFiles } from '../../../reconciler/definitions/known-files.ts';
import { define, entries } from './samples.ts';

/** A commit with these files, of which it is counted how often one is read. */
function commitOf(files: Readonly<Record<string, string | Buffer>>, others: Listing['others'] = []) {
  const blobs = new Map<string, Buffer>();
  const listed = Object.entries(files).map(([path, content]) => {
    const bytes = Buffer.from(content);
    const oid = blobId(bytes, 'sha1');
    blobs.set(oid, bytes);
    return { path, mode: '100644' as const, oid };
  });
  const read: string[] = [];
  const source = {
    list: async () => ({ files: listed, others }),
    async *read(oids: readonly string[]): AsyncGenerator<Blob> {
      for (const oid of oids) {
        read.push(oid);
        yield { oid, content: blobs.get(oid) ?? Buffer.alloc(0) };
      }
    },
  };
  return { source, read };
}

async function read(files: Parameters<typeof commitOf>[0], others?: Listing['others']) {
  const found = await readDefinitionFiles(commitOf(files, others).source, 'commit', [], new KnownFiles());
  return definedBy(found);
}

describe('the files of definitions', () => {
  it('are those called fleet.yaml and fleetscan.yaml, in the order of their paths', async () => {
    const { definitions } = await read({
      'z/fleetscan.yaml': entries('z'),
      'a/fleet.yaml': entries('a'),
      'fleet.yaml': entries('root'),
      'a/fleet.yml': entries('b'),
      'a/Fleet.yaml': entries('c'),
      'a/my-fleet.yaml': entries('d'),
      'a/fleet.yaml/values.yaml': entries('e'),
    });
    assert.deepEqual(
      definitions.map(({ file, line, tagName }) => `${file}:${line} ${tagName}`),
      ['a/fleet.yaml:2 a', 'fleet.yaml:2 root', 'z/fleetscan.yaml:2 z'],
    );
  });

  it('are read once for each content', async () => {
    const known = new KnownFiles();
    const same = entries('web');
    const first = commitOf({ 'a/fleet.yaml': same, 'b/fleet.yaml': same, 'c/fleet.yaml': 'x: 1\n' });
    await readDefinitionFiles(first.source, 'one', [], known);
    assert.equal(first.read.length, 2);
    const second = commitOf({ 'a/fleet.yaml': same, 'c/fleet.yaml': entries('db') });
    const files = await readDefinitionFiles(second.source, 'two', [], known);
    assert.deepEqual(second.read, [blobId(Buffer.from(entries('db')), 'sha1')]);
    assert.deepEqual(
      definedBy(files).definitions.map(({ tagName }) => tagName),
      ['web', 'db'],
    );
  });

  it('that cannot be read are told of, and are no empty ones', async () => {
    const lfs = 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n';
    const unread = await read(
      {
        'lfs/fleet.yaml': lfs,
        'large/fleet.yaml': `${entries('web')}#${'x'.repeat(1024 * 1024)}`,
        'latin/fleet.yaml': Buffer.from(`${entries('web')}# ü`, 'latin1'),
        'utf16/fleet.yaml': Buffer.from(`\uFEFF${entries('web')}`, 'utf16le'),
        'plain/fleet.yaml': Buffer.from('helm: {chart: ü}', 'latin1'),
        'well/fleet.yaml': entries('db'),
      },
      [{ path: 'link/fleet.yaml', kind: 'symlink' }],
    );
    assert.deepEqual(
      unread.definitions.map(({ file }) => file),
      ['well/fleet.yaml'],
    );
    assert.deepEqual(
      unread.unread.map(({ file, message }) => `${file}: ${message.split(/[,;]/)[0]}`),
      [
        'large/fleet.yaml: larger than 1 MiB',
        'latin/fleet.yaml: not UTF-8',
        'lfs/fleet.yaml: in Git LFS',
        'link/fleet.yaml: a symbolic link',
        'utf16/fleet.yaml: not UTF-8',
      ],
    );
  });
});

describe('what files define together', () => {
  it('has a repeated tagName as a mistake of the later file, which names the earlier place', () => {
    const { definitions, mistakes } = define({
      'b/fleet.yaml': entries('db', 'web'),
      'a/fleet.yaml': entries('web'),
    });
    assert.deepEqual(
      definitions.map(({ file, tagName }) => `${file} ${tagName}`),
      ['a/fleet.yaml web', 'b/fleet.yaml db'],
    );
    const [mistake, ...more] = mistakes;
    assert.deepEqual([mistake?.file, mistake?.line, more.length], ['b/fleet.yaml', 3, 0]);
    assert.match(mistake?.message ?? '', /tagName is taken by a\/fleet\.yaml:2,/);
  });

  it('is bounded, and what is beyond the bound is a mistake', () => {
    const many = Array.from({ length: MAX_DEFINITIONS + 2 }, (_, index) => `t${index}`);
    const { definitions, mistakes } = define({ 'fleet.yaml': entries(...many) });
    assert.equal(definitions.length, MAX_DEFINITIONS);
    assert.deepEqual(
      mistakes.map(({ line, tagName }) => [line, tagName]),
      [
        [1002, 't1000'],
        [1003, 't1001'],
      ],
    );
    assert.match(mistakes[0]?.message ?? '', /1000 scans at most/);
  });

  it('has no fields that are null, which the API server would not store', () => {
    const { definitions } = define({
      'fleet.yaml':
        'imageScans: [{tagName: a, image: b/c, secretRef: null, policy: {semver: null, newest: {}}}]',
    });
    assert.deepEqual(definitions[0]?.spec, { tagName: 'a', image: 'b/c', policy: { newest: {} } });
  });
});
