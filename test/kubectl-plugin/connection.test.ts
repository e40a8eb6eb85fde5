import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createProgram, kubectlArguments } from '../../kubectl-plugin/commands.ts';
import { clientOptions } from '../../kubectl-plugin/connection.ts';
import type { ConnectionFlags } from '../../kubectl-plugin/connection-flags.ts';
import { durationFlag } from '../../kubectl-plugin/duration-flag.ts';
import { UsageError } from '../../kubectl-plugin/failure.ts';
import { pathSegment, scanRef } from '../../kubectl-plugin/names.ts';

describe('the connection flags', () => {
  it('leave all to the kubeconfig when there are none', () => {
    assert.deepEqual(clientOptions(flagsOf()), {
      impersonate: {},
      requestTimeoutMs: 30_000,
      userAgent: 'kubectl-fleetscan',
    });
  });

  it('say to the client what they say to kubectl', () => {
    const line =
      '--kubeconfig file --context=prod --cluster c --user u -s https://api:6443 --token t --as ann --as-group dev ' +
      '--as-group=ops --as-uid 7 --request-timeout 5 --insecure-skip-tls-verify --certificate-authority ca.crt ' +
      '--tls-server-name api';
    const flags = flagsOf(...line.split(' '));
    assert.deepEqual(clientOptions(flags), {
      kubeconfig: 'file',
      context: 'prod',
      cluster: 'c',
      user: 'u',
      server: 'https://api:6443',
      token: 't',
      impersonate: { user: 'ann', groups: ['dev', 'ops'], uid: '7' },
      requestTimeoutMs: 5000,
      insecureSkipTLSVerify: true,
      certificateAuthority: 'ca.crt',
      tlsServerName: 'api',
      userAgent: 'kubectl-fleetscan',
    });
  });

  it('do not take the name of the verb for a group', () => {
    assert.deepEqual(flagsOf('--as-group', 'dev').asGroup, ['dev']);
  });
});

describe('a duration on the command line', () => {
  it('is a Go duration or a number of seconds, and 0 is no end', () => {
    assert.equal(durationFlag('--timeout', '1m30s'), 90_000);
    assert.equal(durationFlag('--timeout', '250ms'), 250);
    assert.equal(durationFlag('--timeout', '90'), 90_000);
    assert.equal(durationFlag('--timeout', '1ns'), 1);
    for (const endless of ['0', '0s', '10000h'])
      assert.equal(durationFlag('--timeout', endless), 2 ** 31 - 1);
  });

  it('is refused by the name of its flag when it is none', () => {
    for (const text of ['', 'soon', '-1s', '1d'])
      assert.throws(
        () => durationFlag('--timeout', text),
        (error) => {
          assert.ok(error instanceof UsageError);
          assert.match(error.message, /^--timeout: /);
          return true;
        },
      );
  });
});

describe('a name', () => {
  it('may have its kind in front', () => {
    for (const text of [
      'web',
      'imagescan/web',
      'imagescans/web',
      'imgscan/web',
      'imagescan.fleetscan.io/web',
    ])
      assert.equal(scanRef(text).name, 'web');
  });

  it('says by its kind which group is meant, as with kubectl', () => {
    const cases = [
      ['web', undefined],
      ['imagescan/web', undefined],
      ['imgscan/web', 'fleetscan.io'],
      ['imagescans.fleetscan.io/web', 'fleetscan.io'],
      ['imagescan.fleet.cattle.io/web', 'fleet.cattle.io'],
      ['imagescans.v1alpha1.fleet.cattle.io/web', 'fleet.cattle.io'],
    ] as const;
    for (const [text, group] of cases) assert.equal(scanRef(text).group, group, text);
    assert.throws(
      () => scanRef('imagescan.fleet.io/web'),
      /fleet\.io has no ImageScans; say imagescan\.fleetscan/,
    );
  });

  it('does not lead elsewhere in the API', () => {
    for (const text of [
      '',
      '.',
      '..',
      'a/b',
      'gitrepo/web',
      'imagescan/',
      'imagescan.example.io/web',
      'a%2fb',
    ])
      assert.throws(() => scanRef(text), UsageError, text);
    assert.throws(() => pathSegment('namespace', '../kube-system'), UsageError);
  });
});

/** The flags as `status` gets them. */
function flagsOf(...args: string[]): ConnectionFlags {
  const program = createProgram();
  let flags: ConnectionFlags | undefined;
  program.commands
    .find((command) => command.name() === 'status')!
    .action((_name, _options, command) => (flags = command.optsWithGlobals()));
  program.parse([...kubectlArguments(program, args), 'status'], { from: 'user' });
  return flags!;
}
