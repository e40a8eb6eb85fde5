import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import * as fc from 'fast-check';
import { cleanPath, PathError } from '../../core/paths.ts';
import { type GitServer, startGitServer } from '../control-plane/git-server.ts';
import { AUTHOR, commitOnServer, git, open, temporaryFolder } from './support.ts';

test('paths are read from the root, as Fleet reads them', () => {
  const inside = {
    '': '',
    '/': '',
    '.': '',
    './': '',
    manifests: 'manifests',
    '/etc/x': 'etc/x',
    'a//b/': 'a/b',
    'a/../b': 'b',
  };
  for (const [given, path] of Object.entries(inside)) assert.equal(cleanPath(given), path, given);
});

test('a path that leads out of the repository is refused', () => {
  for (const given of ['..', '../etc', '../../etc', 'sub/../../etc', '/../etc', 'a/../..', 'a/../../a']) {
    assert.throws(() => cleanPath(given), code('PathEscapes'), given);
  }
});

test('a resolved path has no part that means another', () => {
  const part = fc.constantFrom('a', 'b', '..', '.', '', 'c d');
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      try {
        const path = cleanPath(parts.join('/'));
        assert.equal(cleanPath(path), path);
        assert.ok(path === '' || path.split('/').every((name) => !['', '.', '..'].includes(name)), path);
      } catch (error) {
        assert.ok(code('PathEscapes')(error));
      }
    }),
  );
});

describe('the listing of a commit', () => {
  const ODD = [
    'with space',
    '"quotes"',
    'a\nb',
    'tab\there',
    'ünïcode-名前',
    '-dash',
    '*',
    '[x]',
    ':(top)',
    'back\\slash',
    '~',
    // Every character of ASCII but NUL and the slash, which no name in Git can hold.
    String.fromCharCode(...Array.from({ length: 127 }, (_, i) => i + 1).filter((code) => code !== 0x2f)),
    '\u{1F40B}\u202Eright to left\u00A0e\u0301',
  ];
  let server: GitServer;
  before(async () => {
    server = await startGitServer();
  });
  after(() => server.stop());

  test('has the regular files under the paths, in whole folders and single files', async (t) => {
    const { url } = await server.createRepository('plain', {
      'a/x.yaml': 'x: 1\n',
      'a/b/y.yaml': '',
      'ab/z.yaml': 'z',
      top: 't',
    });
    const repository = await open(t, { url });
    const commit = await repository.fetch('main');
    const under = async (...paths: string[]): Promise<string[]> =>
      (await repository.files(commit, paths)).map(({ path }) => path);
    assert.deepEqual(await under(), ['a/b/y.yaml', 'a/x.yaml', 'ab/z.yaml', 'top']);
    assert.deepEqual(await under('/'), ['a/b/y.yaml', 'a/x.yaml', 'ab/z.yaml', 'top']);
    assert.deepEqual(await under('/a/', 'a/b'), ['a/b/y.yaml', 'a/x.yaml']);
    assert.deepEqual(await under('top', 'a/b'), ['a/b/y.yaml', 'top']);
    const [file] = await repository.files(commit, ['a/x.yaml']);
    assert.deepEqual(file, {
      path: 'a/x.yaml',
      mode: '100644',
      oid: repository.blobId(Buffer.from('x: 1\n')),
    });
    await assert.rejects(under('a', 'nothing/here'), code('PathMissing', 'nothing/here'));
    await assert.rejects(under('a/x.yaml/y'), code('PathMissing', 'a/x.yaml/y'));
    await assert.rejects(under('a', '../b'), code('PathEscapes', '../b'));
    await assert.rejects(under('a\0b'), code('PathMissing'));
    await assert.rejects(under('*.json'), code('PathMissing', '*.json'));
    assert.deepEqual(await under('a/*/y.*'), await under('a/b/y.yaml'));
  });

  test('is taken once for the same paths, and anew for others', async (t) => {
    const { url } = await server.createRepository('twice', { 'a/x': '', 'b/y': '' });
    const directory = path.join(temporaryFolder(t), 'cache');
    const repository = await open(t, { url, directory });
    const commit = await repository.fetch('main');
    await assert.rejects(repository.list(commit, ['c']), code('PathMissing', 'c'));
    const listing = await repository.list(commit, ['a']);
    await rm(directory, { recursive: true });
    assert.equal(await repository.list(commit, ['a']), listing);
    await assert.rejects(repository.list(commit, ['b']));
    await assert.rejects(repository.list(commit, ['c']));
  });

  test('keeps names with odd characters, as paths and in commits', async (t) => {
    const { url, directory } = await server.createRepository('odd', { first: '' });
    commitOnServer(directory, Object.fromEntries(ODD.map((name) => [`dir/${name}`, name])));
    const repository = await open(t, { url });
    const commit = await repository.fetch('main');
    const files = await repository.files(commit, ['dir']);
    assert.deepEqual(files.map(({ path }) => path).sort(), ODD.map((name) => `dir/${name}`).sort());
    for (const name of ODD) {
      const [only, ...more] = await repository.files(commit, [`dir/${name}`]);
      assert.equal(only?.path, `dir/${name}`);
      assert.deepEqual(more, []);
    }
    const changes = files.map(({ path, mode }) => ({ path, mode, content: Buffer.from(`new ${path}`) }));
    const ours = await repository.commit({ parent: commit, changes, author: AUTHOR, message: 'm' });
    await repository.push(ours, 'main', commit);
    for (const name of ODD)
      assert.equal(git(directory, ['cat-file', 'blob', `main:dir/${name}`]).toString(), `new dir/${name}`);
    assert.equal((await repository.files(ours, [])).length, ODD.length + 1);
    git(directory, ['fsck', '--strict']);
  });

  test('sets symbolic links, submodules and names that are not UTF-8 apart', async (t) => {
    const { url, directory } = await server.createRepository('others', { 'dir/real.yaml': 'r' });
    commitOnServer(directory, {
      'dir/run.sh': { mode: '100755', content: '#!/bin/sh\n' },
      'dir/link.yaml': { mode: '120000', content: '../../etc/passwd' },
      'dir/sub': { mode: '160000', oid: '1234567890123456789012345678901234567890' },
    });
    commitLatin1Name(directory);
    const repository = await open(t, { url });
    const { files, others } = await repository.list(await repository.fetch('main'), ['dir']);
    assert.deepEqual(
      files.map(({ path, mode }) => [path, mode]),
      [
        ['dir/real.yaml', '100644'],
        ['dir/run.sh', '100755'],
      ],
    );
    assert.deepEqual(others, [
      { path: 'dir/caf\ufffd.yaml', kind: 'nameNotUtf8' },
      { path: 'dir/link.yaml', kind: 'symlink' },
      { path: 'dir/sub', kind: 'submodule' },
    ]);
  });
});

function commitLatin1Name(directory: string): void {
  const head =
    'commit refs/heads/main\ncommitter H <h@example.org> 1700000000 +0000\ndata 1\nx\nfrom refs/heads/main^0\n';
  git(
    directory,
    ['fast-import', '--quiet'],
    Buffer.from(`${head}M 100644 inline dir/caf\xe9.yaml\ndata 1\nx\n`, 'latin1'),
  );
}

function code(wanted: string, named = ''): (error: unknown) => boolean {
  return (error) => error instanceof PathError && error.code === wanted && error.message.includes(named);
}
