import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { ConfigError } from '../../program/config.ts';
import { readReconcilerConfig } from '../../reconciler/config.ts';

/** Sets environment variables until the end of the test. */
function setEnvironment(t: TestContext, variables: Record<string, string>): void {
  for (const [name, value] of Object.entries(variables)) {
    const before = process.env[name];
    process.env[name] = value;
    t.after(() => {
      if (before === undefined) delete process.env[name];
      else process.env[name] = before;
    });
  }
}

const REQUIRED = ['--namespace', 'fleetscan-system', '--identity', 'pod-0'];

describe('readReconcilerConfig', () => {
  it('needs a namespace and an identity only', () => {
    const { environment, ...config } = readReconcilerConfig(REQUIRED);
    assert.equal(environment, process.env);
    assert.deepEqual(config, {
      healthListen: { host: undefined, port: 8081 },
      namespace: 'fleetscan-system',
      identity: 'pod-0',
      leaseName: 'fleetscan-reconciler',
      leaseDuration: 15_000,
      certSecret: 'fleetscan-webhook-cert',
      webhookConfig: 'fleetscan',
      service: 'fleetscan',
      insecureRegistry: [],
      cacheDir: '/cache',
      fleetTakeover: 'off',
      compatibility: 'None',
      logLevel: 'info',
    });
  });

  it('takes them, as a pod has them, from the environment; a flag comes first', (t) => {
    setEnvironment(t, { POD_NAMESPACE: 'elsewhere', POD_NAME: 'pod-7', FLEETSCAN_LOG_LEVEL: 'debug' });
    const { namespace, identity, logLevel } = readReconcilerConfig(['--namespace', 'here']);
    assert.deepEqual(
      { namespace, identity, logLevel },
      { namespace: 'here', identity: 'pod-7', logLevel: 'debug' },
    );
  });

  it('takes the name of a ConfigMap with its namespace', () => {
    const { knownHosts } = readReconcilerConfig([...REQUIRED, '--known-hosts', 'fleet-system/known-hosts']);
    assert.deepEqual(knownHosts, { namespace: 'fleet-system', name: 'known-hosts' });
    for (const wrong of ['known-hosts', '/x', 'a/', 'a/b/c', 'A/b']) {
      assert.throws(() => readReconcilerConfig([...REQUIRED, '--known-hosts', wrong]), /NAMESPACE\/NAME/);
    }
  });

  it('gathers a flag that is given again and again', () => {
    const hosts = ['a.example', 'b.example:5000'];
    const flags = hosts.flatMap((host) => ['--insecure-registry', host]);
    assert.deepEqual(readReconcilerConfig([...REQUIRED, ...flags]).insecureRegistry, hosts);
  });

  it('tells of all mistakes at once, and where each was made', (t) => {
    setEnvironment(t, { FLEETSCAN_CACHE_DIR: '' });
    const flags = ['--namespace', '', '--webhook-url', 'http://x', '--health-listen', 'nowhere', '--typo'];
    assert.throws(
      () => readReconcilerConfig(flags),
      (error) => {
        assert.ok(error instanceof ConfigError);
        for (const mistake of [
          /--namespace: is empty/,
          /--identity: is required/,
          /--webhook-url: is no https:\/\/ URL/,
          /--health-listen: "nowhere" is no address/,
          /--cache-dir \(from FLEETSCAN_CACHE_DIR\): is empty/,
          /--typo: there is no such flag/,
        ]) {
          assert.match(error.message, mistake);
        }
        return true;
      },
    );
  });

  it("knows what can be done with Fleet's objects, and how images are written", () => {
    const flags = ['--fleet-takeover', 'take-over', '--compatibility', 'Fleet'];
    const { fleetTakeover, compatibility } = readReconcilerConfig([...REQUIRED, ...flags]);
    assert.deepEqual(
      { fleetTakeover, compatibility },
      { fleetTakeover: 'take-over', compatibility: 'Fleet' },
    );
    assert.throws(() => readReconcilerConfig([...REQUIRED, '--fleet-takeover', 'on']), /--fleet-takeover/);
    assert.throws(() => readReconcilerConfig([...REQUIRED, '--compatibility', 'fleet']), /--compatibility/);
  });

  it('knows the log levels', () => {
    assert.throws(() => readReconcilerConfig([...REQUIRED, '--log-level', 'loud']), /--log-level: /);
  });
});
