import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { waitFor } from '../wait.ts';
import { freePort, startProcess, temporaryFolder, untilReady } from './processes.ts';
import { run } from './run.ts';

const NODE = process.execPath;
const CHILD = fileURLToPath(new URL('processes.child.ts', import.meta.url));

/** Whether a process runs; one that ended and that nobody has asked about yet (state Z) does not. */
async function runs(pid: number): Promise<boolean> {
  const { stdout } = await run('ps', ['-o', 'stat=', '-p', String(pid)]);
  return stdout.trim() !== '' && !stdout.trim().startsWith('Z');
}

async function firstLine(child: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: child.stdout! })) return line;
  throw new Error('the child said nothing');
}

for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
  test(`nothing is left after ${signal} of the process that started it`, async () => {
    const child = spawn(NODE, [CHILD], { stdio: ['ignore', 'pipe', 'inherit'] });
    const { pids, folder } = JSON.parse(await firstLine(child)) as { pids: number[]; folder: string };
    for (const pid of pids) assert.equal(await runs(pid), true);
    assert.equal(existsSync(folder), true);
    child.kill(signal);
    for (const pid of pids)
      await waitFor(`${pid} to end`, async () => ((await runs(pid)) ? undefined : true));
    await waitFor(`${folder} to go`, () => (existsSync(folder) ? undefined : true));
  });
}

test('a program that ends before it is ready shows its last output', async () => {
  const script =
    "for (let i = 1; i <= 300; i++) console.log('line ' + i); console.error('cannot bind'); process.exitCode = 3";
  const running = startProcess({ name: 'server', command: NODE, args: ['-e', script] });
  await running.exited;
  await assert.rejects(
    untilReady(running, () => undefined),
    (error: Error) => {
      assert.match(error.message, /^server ended \(3\) before it was ready; its last output:\n/);
      assert.match(error.message, /cannot bind/);
      assert.equal(running.output().split('\n').length, 200);
      return true;
    },
  );
});

test('a program that never answers shows its last output too', async () => {
  const running = startProcess({
    name: 'server',
    command: NODE,
    args: ['-e', "console.log('hello'); setInterval(() => {}, 1e6)"],
  });
  await waitFor('its output', () => running.output() || undefined);
  await assert.rejects(
    untilReady(running, () => undefined, 100),
    { code: 'NotReady', message: /hello/ },
  );
  await running.stop();
  assert.equal(await running.exited, 'SIGTERM');
});

test('a program that ignores SIGTERM is killed', async () => {
  const script = "process.on('SIGTERM', () => {}); console.log('ready'); setInterval(() => {}, 1e6)";
  const running = startProcess({ name: 'stubborn', command: NODE, args: ['-e', script] });
  await waitFor('its output', () => running.output() || undefined);
  await running.stop(50);
  assert.equal(await running.exited, 'SIGKILL');
});

test('a program that does not exist is named', () => {
  assert.throws(() => startProcess({ name: 'etcd', command: '/no/such/program' }), {
    code: 'NotStarted',
    message: /^etcd: cannot start \/no\/such\/program/,
  });
});

test('a free port can be listened on', async () => {
  const port = await freePort();
  const server = createServer();
  await new Promise<void>((resolve, reject) =>
    server.once('error', reject).listen(port, '127.0.0.1', resolve),
  );
  server.close();
  assert.ok(port >= 20_000 && port < 32_000);
});

test('temporary folders are new and writable', () => {
  assert.notEqual(temporaryFolder(), temporaryFolder());
});
