import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { git } from './git-commands.ts';
import { type GitServer, startGitServer } from './git-server.ts';
import { temporaryFolder } from './processes.ts';

const credential = { username: 'robot', password: 'p@ss word' };
let open: GitServer;
let closed: GitServer;
before(async () => {
  [open, closed] = await Promise.all([startGitServer(), startGitServer({ credential })]);
});
after(() => Promise.all([open.stop(), closed.stop()]));

function withCredential(url: string, { username, password }: typeof credential): string {
  const with_ = new URL(url);
  with_.username = username;
  with_.password = encodeURIComponent(password);
  return with_.href;
}

/** Clones, changes one file, and pushes. */
async function changeByPush(url: string, path: string, content: string): Promise<void> {
  const cwd = temporaryFolder('clone');
  await git(['clone', '--quiet', url, '.'], { cwd });
  await writeFile(join(cwd, path), content);
  await git(
    ['-c', 'user.name=A', '-c', 'user.email=a@example.com', 'commit', '--quiet', '-am', 'Change\n\nBody'],
    { cwd },
  );
  await git(['push', '--quiet'], { cwd });
}

test('a repository is cloned, changed and pushed', async () => {
  const files = { 'apps/a "b".yaml': 'image: a:1\n', 'ümlaut.txt': 'ä\n' };
  const { url } = await open.createRepository('plain', files);
  const before = await open.head('plain');
  assert.equal(await open.readFile('plain', 'apps/a "b".yaml'), 'image: a:1\n');
  await changeByPush(url, 'ümlaut.txt', 'ö\n');
  assert.notEqual(await open.head('plain'), before);
  assert.equal(await open.readFile('plain', 'ümlaut.txt'), 'ö\n');
  assert.equal(await open.readFile('plain', 'ümlaut.txt', before), 'ä\n');
  const log = await open.log('plain');
  assert.deepEqual(
    log.map(({ author, message }) => ({ author, message })),
    [
      { author: 'A <a@example.com>', message: 'Change\n\nBody' },
      { author: 'Somebody Else <somebody@example.com>', message: 'Initial commit' },
    ],
  );
  assert.ok(open.requests().some((request) => request.startsWith('POST /plain.git/git-receive-pack')));
});

test('somebody else commits on another branch', async () => {
  await open.createRepository('other', { a: '1', b: '2' }, 'trunk');
  const id = await open.commit('other', { a: null, b: '3' }, 'trunk');
  assert.equal(await open.head('other', 'trunk'), id);
  assert.equal(await open.readFile('other', 'b', 'trunk'), '3');
  await assert.rejects(open.readFile('other', 'a', 'trunk'), /does not exist/);
});

test('a push of many bytes, compressed and in chunks, arrives', async () => {
  const { url } = await open.createRepository('large', { file: 'small' });
  const large = Array.from({ length: 200_000 }, (_, line) => `${line * 7919}`).join('\n');
  await changeByPush(url, 'file', large);
  assert.equal(await open.readFile('large', 'file'), large);
  const sent = open.sent();
  await git(['clone', '--quiet', '--bare', url, '.'], { cwd: temporaryFolder('clone') });
  assert.ok(open.sent() - sent > 200_000, `${open.sent() - sent} bytes`);
});

test('with a credential, nobody gets in without it', async () => {
  const { url } = await closed.createRepository('secret', { file: '1' });
  const cwd = temporaryFolder('clone');
  await assert.rejects(git(['ls-remote', url], { cwd }), /could not read Username/);
  await assert.rejects(
    git(['ls-remote', withCredential(url, { ...credential, password: 'no' })], { cwd }),
    /Authentication failed/,
  );
  await changeByPush(withCredential(url, credential), 'file', '2');
  assert.equal(await closed.readFile('secret', 'file'), '2');
});

test('a repository that is not there is a 404', async () => {
  await assert.rejects(git(['ls-remote', `${open.url}/none.git`]), /not found/);
});
