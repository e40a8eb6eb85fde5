import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { waitFor } from '../wait.ts';
import { binaries } from './binaries.ts';
import { startProcess } from './processes.ts';
import { run } from './run.ts';

test('it prints a KUBECONFIG that works, stays until it is told to stop, and leaves nothing', async () => {
  const { kubectl } = await binaries(['kubectl']);
  const script = fileURLToPath(new URL('main.ts', import.meta.url));
  const main = startProcess({ name: 'control-plane', command: process.execPath, args: [script] });
  const kubeconfig = await waitFor(
    'KUBECONFIG',
    () => {
      assert.equal(main.exitedWith(), undefined, main.output());
      return main.output().includes('Stop with')
        ? /^export KUBECONFIG=(.+)$/m.exec(main.output())?.[1]
        : undefined;
    },
    { timeoutMs: 60_000 },
  );
  const { stdout } = await run(kubectl, ['--kubeconfig', kubeconfig, 'get', 'namespaces', '-o', 'name']);
  assert.match(stdout, /namespace\/default/);
  main.kill('SIGTERM');
  assert.equal(await main.exited, 0, main.output());
  await waitFor('its data to go', () => (existsSync(dirname(kubeconfig)) ? undefined : true));
});
