import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Marker } from '../../core/marker.ts';
import type { Lookup } from '../../core/scan.ts';
import { MAX_BLOB } from '../../git/blobs.ts';
import type { FileEntry, Listing, Repository } from '../../git/repository.ts';
import { toScan } from '../../kube/kinds/to-scan.ts';
import { planEdits } from '../../write-back/plan.ts';
import { DIGEST, imageScan } from '../reconciler/samples.ts';

const scan = toScan(
  imageScan({
    spec: { image: 'registry.example/web' },
    status: { canonicalImageName: 'registry.example/web', latestTag: '2.0.0', latestDigest: DIGEST },
  }),
);

/** Every marker names the one scan, but for `gone`, which no scan answers to. */
function resolve({ readings }: Marker): Lookup {
  const reading = readings.at(-1) ?? readings[0];
  if (reading.tagName === 'gone') return { kind: 'refused', reason: 'UnknownScan', message: 'no scan gone' };
  return { kind: 'found', scan, reading };
}

type File = string | Buffer | { content: string; mode?: FileEntry['mode']; size?: number };

/** A repository that holds these files; what is asked of it is written down. */
function repositoryOf(files: Record<string, File>, others: Listing['others'] = []) {
  const contents = new Map<string, Buffer>();
  const entries = Object.entries(files).map(([path, file], index): FileEntry => {
    const oid = index.toString(16).padStart(40, '0');
    const parts = typeof file === 'string' || Buffer.isBuffer(file) ? { content: file } : file;
    const content = Buffer.from(parts.content);
    contents.set(oid, content);
    const { mode = '100644', size = content.length } = 'mode' in parts || 'size' in parts ? parts : {};
    return { path, oid, mode, size };
  });
  const asked: { listed: unknown[]; read: string[] } = { listed: [], read: [] };
  const repository: Pick<Repository, 'list' | 'read'> = {
    list: async (...args) => {
      asked.listed.push(args);
      return { files: entries, others };
    },
    read: async function* (oids) {
      asked.read.push(...oids.map((oid) => entries.find((entry) => entry.oid === oid)?.path ?? oid));
      for (const oid of oids) yield { oid, content: contents.get(oid) ?? Buffer.alloc(0) };
    },
  };
  return { repository, asked };
}

const plan = (files: Record<string, File>, others: Listing['others'] = []) =>
  planEdits(repositoryOf(files, others).repository, 'c0ffee', [], resolve);

const stale = 'image: registry.example/web:1.0.0 # {"$imagescan": "web"}\n';
const fresh = 'image: registry.example/web:2.0.0 # {"$imagescan": "web"}\n';

describe('planEdits', () => {
  it('lists the paths of the commit and reads the YAML files there, no others', async () => {
    const { repository, asked } = repositoryOf({ 'a.yaml': '', 'b.yml': '', 'c.json': stale, 'd.YAML': '' });
    await planEdits(repository, 'c0ffee', ['apps', 'base/web.yaml'], resolve);
    assert.deepEqual(asked, { listed: [['c0ffee', ['apps', 'base/web.yaml']]], read: ['a.yaml', 'b.yml'] });
  });

  it('changes what is stale and nothing else', async () => {
    const { changes, edits, leftAlone, markers, current } = await plan({
      'a.yaml': stale,
      'b/c.yaml': fresh,
      'plain.yaml': 'a: 1\n',
    });
    assert.deepEqual(
      changes.map(({ path, content }) => [path, content.toString()]),
      [['a.yaml', fresh]],
    );
    assert.deepEqual(
      edits.map(({ scan, ...edit }) => ({ ...edit, scan: scan.name })),
      [
        {
          file: 'a.yaml',
          line: 1,
          marker: 'web',
          before: 'registry.example/web:1.0.0',
          after: 'registry.example/web:2.0.0',
          scan: 'web',
          form: 'image',
        },
      ],
    );
    assert.deepEqual({ leftAlone, markers, current }, { leftAlone: [], markers: 2, current: 1 });
  });

  it('keeps the mode, line ends, byte order mark and a missing newline at the end', async () => {
    const text = '\u{FEFF}a: 1\r\nimage: web:1 # {"$imagescan": "web:tag"}\r\nb: ü';
    const { changes } = await plan({ 'run.yaml': { content: text, mode: '100755' } });
    assert.deepEqual(
      changes.map(({ path, mode, content }) => [path, mode, content.toString()]),
      [['run.yaml', '100755', text.replace('web:1', '2.0.0')]],
    );
  });

  it('names the file and line of a marker that it leaves alone, and goes on with the rest', async () => {
    const { changes, leftAlone, markers, current } = await plan({
      'a.yaml': `${stale}other: x # {"$imagescan": "gone"}\nthird: x # {"$imagescan": oops}\n`,
      'b.yaml': 'a: [ # {"$imagescan": "web"}\n',
    });
    assert.equal(changes.length, 1);
    assert.deepEqual(
      leftAlone.map(({ file, line, reason }) => [file, line, reason]),
      [
        ['a.yaml', 2, 'UnknownScan'],
        ['a.yaml', 3, 'InvalidMarker'],
        ['b.yaml', leftAlone[2]?.line, 'NotYaml'],
      ],
    );
    assert.ok(leftAlone.every(({ message }) => message.length > 0));
    assert.equal(markers, 4);
    assert.equal(current, 0);
  });

  it('does not read a file that is larger than Git gives, names it, and goes on with the rest', async () => {
    const { repository, asked } = repositoryOf({
      'huge.yaml': { content: stale, size: MAX_BLOB + 1 },
      'huge.bin': { content: stale, size: MAX_BLOB + 1 },
      'large.yaml': { content: '', size: MAX_BLOB },
      'small.yaml': stale,
    });
    const { changes, leftAlone } = await planEdits(repository, 'c0ffee', [], resolve);
    assert.deepEqual(asked.read, ['large.yaml', 'small.yaml']);
    assert.deepEqual(leftAlone, [
      {
        file: 'huge.yaml',
        reason: 'TooLarge',
        message: 'the file has 51 MiB, and is not read above 50 MiB; split it',
      },
    ]);
    assert.deepEqual(
      changes.map(({ path, content }) => [path, content.toString()]),
      [['small.yaml', fresh]],
    );
  });

  it('names a marked file that is not UTF-8, and says nothing of one without a marker', async () => {
    const latin1 = Buffer.from(stale.replace('image', 'bildgr\u{F6}\u{DF}e'), 'latin1');
    const { leftAlone, changes } = await plan({
      'a.yaml': latin1,
      'b.yaml': Buffer.from('a: \u{FC}\n', 'latin1'),
    });
    assert.deepEqual(leftAlone, [{ file: 'a.yaml', reason: 'NotUTF8', message: 'the file is not UTF-8' }]);
    assert.deepEqual(changes, []);
  });

  it('names a marked file in UTF-16, of either byte order', async () => {
    const little = Buffer.from(`\u{FEFF}${stale}`, 'utf16le');
    const { leftAlone, changes } = await plan({
      'a.yaml': little,
      'b.yaml': Buffer.from(little).swap16(),
      'c.yaml': Buffer.from('\u{FEFF}a: b\n', 'utf16le'),
    });
    assert.deepEqual(
      leftAlone.map(({ file, reason }) => [file, reason]),
      [
        ['a.yaml', 'NotUTF8'],
        ['b.yaml', 'NotUTF8'],
      ],
    );
    assert.deepEqual(changes, []);
  });

  it('names links, submodules and odd names that look like YAML files', async () => {
    const { leftAlone } = await plan({}, [
      { path: 'link.yaml', kind: 'symlink' },
      { path: 'link', kind: 'symlink' },
      { path: 'module.yml', kind: 'submodule' },
      { path: 'b\u{FFFD}d.yaml', kind: 'nameNotUtf8' },
    ]);
    assert.deepEqual(
      leftAlone.map(({ file, reason }) => [file, reason]),
      [
        ['b\u{FFFD}d.yaml', 'NameNotUTF8'],
        ['link.yaml', 'SymbolicLink'],
        ['module.yml', 'Submodule'],
      ],
    );
  });

  it('names a link or submodule that a path names, whatever it is called', async () => {
    const { repository } = repositoryOf({}, [
      { path: 'apps/link', kind: 'symlink' },
      { path: 'module', kind: 'submodule' },
      { path: 'other', kind: 'symlink' },
    ]);
    const { leftAlone } = await planEdits(repository, 'c0ffee', ['./apps/link/', 'module'], resolve);
    assert.deepEqual(
      leftAlone.map(({ file, reason }) => [file, reason]),
      [
        ['apps/link', 'SymbolicLink'],
        ['module', 'Submodule'],
      ],
    );
  });

  it('names a pointer of Git LFS, and a file that is too large once it is there', async () => {
    const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n';
    const { repository } = repositoryOf({ 'a.yaml': pointer, 'b.bin': pointer, 'c.yaml': stale });
    const source: typeof repository = {
      list: repository.list,
      read: async function* (oids) {
        yield* repository.read(oids.slice(0, 1));
        for (const oid of oids.slice(1)) yield { oid, size: MAX_BLOB + 1 };
      },
    };
    const { leftAlone, changes } = await planEdits(source, 'c0ffee', [], resolve);
    assert.deepEqual(
      leftAlone.map(({ file, reason }) => [file, reason]),
      [
        ['a.yaml', 'LFSPointer'],
        ['c.yaml', 'TooLarge'],
      ],
    );
    assert.deepEqual(changes, []);
  });
});
