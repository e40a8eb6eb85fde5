import assert from 'node:assert/strict';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { readBlobs } from '../../git/blobs.ts';
import type { GitContext } from '../../git/environment.ts';
import { runGit, startGit } from '../../git/process.ts';
import { waitFor } from '../wait.ts';
import { temporaryFolder } from './support.ts';

const OID = '1234567890123456789012345678901234567890';

/** A context whose `git` is a script: for what the real one cannot be made to do. */
async function withGit(
  t: TestContext,
  script: string,
  timeoutMs = 30_000,
): Promise<GitContext & { folder: string }> {
  const folder = temporaryFolder(t);
  await writeFile(path.join(folder, 'git'), `#!/bin/sh\n${script}\n`);
  await chmod(path.join(folder, 'git'), 0o755);
  const environment = { PATH: `${folder}:${process.env['PATH']}`, SECRET: 'x', HTTPS_PROXY: 'http://proxy' };
  return { gitDirectory: folder, folder, environment, settings: [['a.b', 'c']], timeoutMs };
}

test('git sees the variables that we name and no others', async (t) => {
  const context = await withGit(t, 'env');
  const { stdout } = await runGit(context, []);
  const text = stdout.toString();
  for (const line of [
    'HTTPS_PROXY=http://proxy',
    'HOME=/dev/null',
    'GIT_CONFIG_GLOBAL=/dev/null',
    `GIT_DIR=${context.folder}`,
  ]) {
    assert.ok(text.includes(`${line}\n`), `${line} in ${text}`);
  }
  assert.match(text, /^GIT_CONFIG_KEY_(\d+)=a\.b$/m);
  assert.doesNotMatch(text, /SECRET/);
});

test('git that heeds no request to end is killed with all it started', async (t) => {
  const context = await withGit(
    t,
    `trap '' TERM\n(trap '' TERM; echo $$ > "$GIT_DIR/pids"; sleep 600) &\necho $! >> "$GIT_DIR/more"\nwait`,
    200,
  );
  await assert.rejects(runGit(context, ['fetch']), {
    code: 'Timeout',
    message: /git fetch did not end within 0\.2 s/,
  });
  const pids = `${await readFile(path.join(context.folder, 'pids'), 'utf8')}${await readFile(path.join(context.folder, 'more'), 'utf8')}`;
  for (const pid of pids.trim().split('\n')) {
    await waitFor(`process ${pid} gone`, () => (isAlive(Number(pid)) ? undefined : true));
  }
});

test('what git says on stderr is kept to its end, bounded', async (t) => {
  const context = await withGit(t, 'yes noise | head -c 1000000 >&2; echo fatal: the end >&2; exit 3');
  const { code, stderr } = await runGit(context, []);
  assert.equal(code, 3);
  assert.ok(stderr.endsWith('fatal: the end\n'));
  assert.ok(stderr.length <= 64 * 1024);
});

test('input that git does not read to its end is no error of its own', async (t) => {
  const context = await withGit(t, 'exit 5');
  const { code } = await runGit(
    context,
    [],
    Array.from({ length: 100 }, () => Buffer.alloc(100_000)),
  );
  assert.equal(code, 5);
});

test('a call is not begun when the signal has aborted', async (t) => {
  const context = await withGit(t, 'touch "$GIT_DIR/ran"');
  const reason = new Error('stopped');
  assert.throws(() => startGit({ ...context, signal: AbortSignal.abort(reason) }, []), reason);
});

test('a blob that does not come is a timeout; a reader that takes its time is none', async (t) => {
  const hanging = await withGit(t, 'exec sleep 600', 200);
  await assert.rejects(drain(hanging, [OID]), { code: 'Timeout' });
  const prompt = await withGit(t, `printf '${OID} blob 1\\na\\n'; head -c 300000 /dev/zero`, 200);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  await assert.rejects(
    async () => {
      for await (const { content } of readBlobs(prompt, [OID, OID])) {
        assert.equal(content.toString(), 'a');
        t.mock.timers.tick(10_000);
      }
    },
    { code: 'Failed' },
    'git went on, as its output shows, and was not stopped while its reader was busy',
  );
});

test('an answer that is cut, is no blob, or is too large is an error', async (t) => {
  const cut = await withGit(t, `printf '${OID} blob 10\\nabc'`);
  await assert.rejects(drain(cut, [OID]), { code: 'Failed', message: /ended too early/ });
  const tree = await withGit(t, `printf '${OID} tree 1\\na\\n'`);
  await assert.rejects(drain(tree, [OID]), { code: 'Failed', message: /git says .* tree 1/ });
  const large = await withGit(t, `printf '${OID} blob 99999999\\n'; exec cat /dev/zero`);
  await assert.rejects(drain(large, [OID]), { code: 'Failed', message: /above the limit/ });
});

test('reading ends with the reason of the signal', async (t) => {
  const stop = new AbortController();
  const context = {
    ...(await withGit(t, `printf '${OID} blob 1\\na\\n'; exec sleep 600`)),
    signal: stop.signal,
  };
  const reason = new Error('shutting down');
  await assert.rejects(async () => {
    for await (const { content } of readBlobs(context, [OID, OID])) {
      assert.equal(content.toString(), 'a');
      stop.abort(reason);
    }
  }, reason);
});

async function drain(context: GitContext, oids: string[]): Promise<void> {
  for await (const { oid } of readBlobs(context, oids)) assert.equal(oid, OID);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
