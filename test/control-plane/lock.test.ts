import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { withLock } from './lock.ts';
import { startProcess, temporaryFolder } from './processes.ts';

test('one at a time, and whoever waits is told for whom', async () => {
  const path = join(temporaryFolder('lock'), 'lock');
  const told: number[] = [];
  let inside = 0;
  let most = 0;
  const work = async () => {
    inside += 1;
    most = Math.max(most, inside);
    await new Promise((resolve) => setImmediate(resolve));
    inside -= 1;
  };
  await Promise.all([1, 2, 3].map(() => withLock(path, work, (pid) => told.push(pid))));
  assert.equal(most, 1);
  assert.deepEqual(new Set(told), new Set([process.pid]));
  assert.deepEqual(await readdir(dirname(path)), []);
});

test('the lock is given up when the work fails', async () => {
  const path = join(temporaryFolder('lock'), 'lock');
  await assert.rejects(
    withLock(path, async () => {
      throw new Error('the work failed');
    }),
    /the work failed/,
  );
  assert.equal(existsSync(path), false);
});

test('the lock of a process that is gone is taken over', async () => {
  const path = join(temporaryFolder('lock'), 'lock');
  const gone = startProcess({ name: 'gone', command: process.execPath, args: ['--version'] });
  await gone.exited;
  for (const stale of [String(gone.pid), 'no number']) {
    await writeFile(path, stale);
    assert.equal(await withLock(path, async () => 'done'), 'done');
  }
});
