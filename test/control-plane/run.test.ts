import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mustRun, RunError, run } from './run.ts';

test('input, output, environment and exit code', async () => {
  const script =
    'process.stdin.pipe(process.stdout); console.error(process.env.A, process.env.HOME); process.exitCode = 4';
  const result = await run(process.execPath, ['-e', script], {
    stdin: 'héllo',
    env: { A: 'b', HOME: undefined },
  });
  assert.deepEqual(result, { stdout: 'héllo', stderr: 'b undefined\n', code: 4 });
});

test('a failure that was not expected tells what the program said', async () => {
  await assert.rejects(mustRun('git', ['no-such-command']), (error: unknown) => {
    assert.ok(error instanceof RunError);
    assert.match(
      error.message,
      /^git no-such-command ended with 1: git: 'no-such-command' is not a git command/,
    );
    assert.equal(error.result.code, 1);
    return true;
  });
});

test('a program that does not exist is an error', async () => {
  await assert.rejects(run('/no/such/program', []), { code: 'ENOENT' });
});

test('a program that does not read its input does no harm', async () => {
  assert.equal((await run('true', [], { stdin: 'x'.repeat(1_000_000) })).code, 0);
});
