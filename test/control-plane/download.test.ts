import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Downloader, DownloadError, findChecksum } from './download.ts';
import { type FileServer, startFileServer } from './file-server.ts';
import { freePort, temporaryFolder } from './processes.ts';
import { type Progress, silent } from './progress.ts';

const CONTENT = randomBytes(1_000_000);
const WANTED = {
  label: 'program v1',
  url: 'https://releases.example/v1/program',
  checksumUrl: 'https://releases.example/v1/program.sha256',
};
const PATH = '/releases.example/v1/program';

let server: FileServer;
before(async () => {
  server = await startFileServer();
});
after(() => server.stop());

function recorder(): Progress & { lines: string[]; updates: string[] } {
  const [lines, updates]: [string[], string[]] = [[], []];
  return { lines, updates, line: (text) => lines.push(text), update: (text) => updates.push(text) };
}

async function download(progress: Progress, path: string): Promise<void> {
  const downloader = new Downloader({ progress, mirror: server.url });
  try {
    await downloader.file(WANTED, path);
  } finally {
    await downloader.close();
  }
}

test('a file is downloaded, checked, and its progress shown', async () => {
  server.publish(PATH, CONTENT);
  const path = join(temporaryFolder(), 'program');
  const progress = recorder();
  await download(progress, path);
  assert.deepEqual(await readFile(path), CONTENT);
  assert.match(progress.updates.at(-1)!, /^program v1: 1\.0 MB of 1\.0 MB, [\d.]+ MB\/s$/);
  assert.equal(existsSync(`${path}.partial`), false);
});

test('a cut download is resumed where it was cut', async () => {
  server.publish(PATH, CONTENT);
  server.cutOnce(PATH, 300_000);
  const path = join(temporaryFolder(), 'program');
  const progress = recorder();
  await download(progress, path);
  assert.deepEqual(await readFile(path), CONTENT);
  assert.match(progress.lines[0]!, /^program v1: connection lost .*, resuming$/);
  assert.match(server.requests.at(-1)!.range ?? '', /^bytes=\d+-$/);
});

test('what an earlier process left is resumed, also when it was whole', async () => {
  server.publish(PATH, CONTENT);
  for (const size of [400_000, CONTENT.length]) {
    const path = join(temporaryFolder(), 'program');
    await writeFile(`${path}.partial`, CONTENT.subarray(0, size));
    await download(silent, path);
    assert.deepEqual(await readFile(path), CONTENT);
    assert.equal(server.requests.at(-1)!.range, `bytes=${size}-`);
  }
});

test('a wrong checksum deletes the file and is told', async () => {
  server.publish(PATH, CONTENT);
  server.publish(`${PATH}.sha256`, Buffer.from('0'.repeat(64)));
  const path = join(temporaryFolder(), 'program');
  await assert.rejects(download(silent, path), (error: unknown) => {
    assert.ok(error instanceof DownloadError);
    assert.equal(error.code, 'WrongChecksum');
    assert.match(error.message, /says 0{64}; the file is deleted/);
    return true;
  });
  assert.equal(existsSync(path), false);
  assert.equal(existsSync(`${path}.partial`), false);
});

test('an answer other than the file is an error of its own', async () => {
  const downloader = new Downloader({ progress: silent, mirror: server.url });
  const wanted = { ...WANTED, checksumUrl: 'https://releases.example/none.sha256' };
  await assert.rejects(downloader.file(wanted, join(temporaryFolder(), 'x')), {
    code: 'Missing',
    message: /answered 404$/,
  });
  await downloader.close();
});

test('a host that cannot be reached is asked once', async () => {
  const unreachable = new Map<string, string>();
  const port = await freePort();
  const options = { progress: silent, mirror: `http://127.0.0.1:${port}`, unreachable };
  const first = new Downloader(options);
  await assert.rejects(first.file(WANTED, join(temporaryFolder(), 'x')), { code: 'Unreachable' });
  await first.close();

  let connections = 0;
  const late = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => late.listen(port, '127.0.0.1', resolve));
  const second = new Downloader(options);
  await assert.rejects(second.file(WANTED, join(temporaryFolder(), 'x')), {
    code: 'Unreachable',
    message: /^releases\.example cannot be reached: /,
  });
  assert.equal(connections, 0);
  await second.close();
  late.close();
});

test('a SHA-256 is found alone and in a list of files', () => {
  const sum = 'a'.repeat(64);
  assert.equal(findChecksum(`${sum}\n`, 'helm.tar.gz'), sum);
  assert.equal(findChecksum(`${'b'.repeat(64)}  other\n${sum}  helm.tar.gz\n`, 'helm.tar.gz'), sum);
  assert.equal(findChecksum(`${sum} *helm.tar.gz`, 'helm.tar.gz'), sum);
  assert.equal(findChecksum(`${sum}  other`, 'helm.tar.gz'), undefined);
  assert.equal(findChecksum('<html>sign in</html>', 'helm.tar.gz'), undefined);
});
