import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, describe, it } from 'node:test';
import { ConfigError } from '../../program/config.ts';
import { readWebhookConfig } from '../../webhook/config.ts';

const MAIN = join(import.meta.dirname, '../../webhook/main.ts');
const VARIABLES = [
  'FLEETSCAN_WEBHOOK_LISTEN',
  'FLEETSCAN_WEBHOOK_HEALTH_LISTEN',
  'POD_NAMESPACE',
  'FLEETSCAN_DRAIN',
  'FLEETSCAN_FLEET_TAKEOVER',
  'FLEETSCAN_LOG_LEVEL',
];
const forget = (): void => VARIABLES.forEach((variable) => delete process.env[variable]);

function mistakes(...argv: string[]): string[] {
  try {
    return assert.fail(`read ${JSON.stringify(readWebhookConfig(argv))}`);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    assert.equal(error.code, 'InvalidConfig');
    const [head, ...lines] = error.message.split('\n');
    assert.equal(head, 'webhook: the configuration is wrong');
    return lines;
  }
}

/** Runs the program with an environment that has nothing of ours. */
async function run(...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [MAIN, ...argv], { env: {}, stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { code, stdout, stderr };
}

describe("the webhook's configuration", () => {
  forget();
  afterEach(forget);

  it('needs nothing but its namespace', () => {
    assert.deepEqual(readWebhookConfig(['--namespace', 'fleetscan-system']), {
      listen: { host: undefined, port: 9443 },
      healthListen: { host: undefined, port: 8080 },
      namespace: 'fleetscan-system',
      certSecret: 'fleetscan-webhook-cert',
      drain: 15_000,
      fleetTakeover: 'off',
      logLevel: 'info',
    });
  });

  it('takes every flag', () => {
    const flags = {
      '--listen': '127.0.0.1:1',
      '--health-listen': '[::1]:2',
      '--namespace': 'ns',
      '--cert-secret': 'cert',
      '--drain': '1m30s',
      '--fleet-takeover': 'take-over',
      '--log-level': 'debug',
      '--kubeconfig': '/etc/kubeconfig',
    };
    assert.deepEqual(readWebhookConfig(Object.entries(flags).flat()), {
      listen: { host: '127.0.0.1', port: 1 },
      healthListen: { host: '::1', port: 2 },
      namespace: 'ns',
      certSecret: 'cert',
      drain: 90_000,
      fleetTakeover: 'take-over',
      logLevel: 'debug',
      kubeconfig: '/etc/kubeconfig',
    });
  });

  it('takes the environment, where no flag says otherwise', () => {
    process.env['POD_NAMESPACE'] = 'from-pod';
    process.env['FLEETSCAN_WEBHOOK_LISTEN'] = ':1';
    process.env['FLEETSCAN_DRAIN'] = '3s';
    const config = readWebhookConfig(['--listen', ':2']);
    assert.deepEqual([config.namespace, config.listen.port, config.drain], ['from-pod', 2, 3000]);
  });

  it('tells of all mistakes at once, by the flag or the variable that they are in', () => {
    process.env['FLEETSCAN_DRAIN'] = '15';
    const found = mistakes(
      '--listen',
      'nowhere',
      '--health-listen',
      ':99999',
      '--log-level',
      'loud',
      '--lisen',
      ':80',
    );
    assert.deepEqual(found, [
      '  --lisen: there is no such flag',
      '  --listen: "nowhere" is no address; write it as host:port or :port',
      '  --health-listen: ":99999" is no address; write it as host:port or :port',
      '  --namespace: is required',
      '  --drain (from FLEETSCAN_DRAIN): "15" is not a duration; write it like 30s, 15m or 1h30m',
      '  --log-level: Invalid option: expected one of "trace"|"debug"|"info"|"warn"|"error"',
    ]);
  });

  it('does not take an empty text for a name', () => {
    process.env['POD_NAMESPACE'] = '';
    assert.deepEqual(mistakes('--cert-secret='), [
      '  --namespace (from POD_NAMESPACE): is empty',
      '  --cert-secret: is empty',
    ]);
  });

  it('is told by the program on standard error, with exit code 1', async () => {
    const { code, stdout, stderr } = await run('--listen', 'x', '--namespace', '');
    assert.equal(code, 1);
    assert.equal(stdout, '');
    assert.equal(
      stderr,
      'webhook: the configuration is wrong\n' +
        '  --listen: "x" is no address; write it as host:port or :port\n' +
        '  --namespace: is empty\n',
    );
  });

  it('is explained by --help, with exit code 0', async () => {
    const { code, stdout, stderr } = await run('--help');
    assert.equal(code, 0);
    assert.equal(stderr, '');
    for (const flag of [
      '--listen',
      '--health-listen',
      '--namespace',
      '--cert-secret',
      '--drain',
      '--log-level',
      '--kubeconfig',
    ])
      assert.match(stdout, new RegExp(`^ +${flag} <`, 'm'));
  });
});
