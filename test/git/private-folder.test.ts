import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { withPrivateFolder } from '../../git/private-folder.ts';
import { temporaryFolder } from './support.ts';

test('a private folder is ours alone, lasts as long as the work, and goes with what a killed process left', async (t) => {
  const parent = temporaryFolder(t);
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = parent;
  t.after(() => {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  });
  const { pid: gone } = spawnSync('true');
  const [dead, former, living] = [gone, process.pid, process.ppid].map((pid) => `fleetscan-private-${pid}-x`);
  for (const name of [dead, former, living, 'other'])
    await mkdir(path.join(parent, `${name}/deep`), { recursive: true });

  const given = await withPrivateFolder(async (folder) => {
    assert.equal((await stat(folder)).mode & 0o777, 0o700);
    assert.deepEqual((await readdir(parent)).sort(), [path.basename(folder), String(living), 'other'].sort());
    return 7;
  });
  assert.equal(given, 7);
  await assert.rejects(
    withPrivateFolder(() => Promise.reject(new Error('failed'))),
    /failed/,
  );
  assert.deepEqual((await readdir(parent)).sort(), [String(living), 'other'].sort());
});
