import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { before, describe, test } from 'node:test';
import { parse } from 'yaml';
import type { Secret } from '../../kube/secret.ts';
import { credentialIn, type SecretCredential } from '../../reconciler/access/credential.ts';
import { signerIn } from '../../reconciler/access/signer.ts';
import { binaries } from '../control-plane/binaries.ts';
import { temporaryFolder } from '../control-plane/processes.ts';
import { mustRun } from '../control-plane/run.ts';
import { makeKeyPair } from '../control-plane/sshd.ts';

const PAGE = new URL('../../docs/git-access.md', import.meta.url);
const ARMORED = '-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nAAAA\n-----END PGP PRIVATE KEY BLOCK-----\n';

interface Made {
  readonly kind: string;
  readonly type?: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly data: Record<string, string>;
}

/** Each command of the page is run by kubectl, and what it would make is read as the reconciler reads it. */
describe('the commands of docs/git-access.md', () => {
  const made: Made[] = [];
  before(async () => {
    const { kubectl } = await binaries(['kubectl']);
    const folder = temporaryFolder('docs');
    await writeFiles(folder);
    const env = {
      PATH: `${dirname(kubectl)}:${process.env['PATH']}`,
      PASSWORD: 'p w',
      TOKEN: 'token',
      PASSPHRASE: 'secret',
    };
    for (const command of commandsOf(await readFile(PAGE, 'utf8'))) {
      const dry = command.replace('kubectl', `'${kubectl}'`);
      const { stdout } = await mustRun('sh', ['-c', `${dry} --dry-run=client -o yaml`], { cwd: folder, env });
      made.push(parse(stdout));
    }
  });

  const secretsNamed = (name: string): Secret[] =>
    made
      .filter(({ kind, metadata }) => kind === 'Secret' && metadata.name === name)
      .map(({ type = 'Opaque', metadata, data }) => ({ type, data, ...metadata }));

  test('make Secrets that write-back takes', () => {
    const credentials = secretsNamed('git').map((secret) => credentialIn(secret, 'https://github.com/a/b'));
    assert.deepEqual(credentials.map(summary), [
      'basic robot:p w',
      'basic x-access-token:token',
      'ssh hosts',
      'ssh secret hosts',
      'app 123456 12345678',
    ]);
  });

  test('make Secrets that commits are signed with', () => {
    const [ssh, openpgp, ...more] = secretsNamed('signing');
    assert.ok(ssh && openpgp && more.length === 0);
    assert.equal(signerIn(ssh, 'SSH').passphrase, undefined);
    assert.equal(signerIn(openpgp, 'OpenPGP').passphrase, 'secret');
  });

  test('make the ConfigMap that the chart can name', () => {
    const configMaps = made.filter(({ kind }) => kind === 'ConfigMap');
    assert.deepEqual(
      configMaps.map(({ metadata, data }) => ({ ...metadata, creationTimestamp: undefined, data })),
      [
        {
          name: 'known-hosts',
          namespace: 'fleetscan-system',
          creationTimestamp: undefined,
          data: { known_hosts: 'hosts\n' },
        },
      ],
    );
  });
});

/** The `kubectl create` commands in the shell blocks of a page, each on one line. */
function commandsOf(page: string): string[] {
  const blocks = [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
  const lines = blocks.flatMap((block) => block.replaceAll(/\\\n\s*/g, '').split('\n'));
  return lines.filter((line) => line.startsWith('kubectl create '));
}

async function writeFiles(folder: string): Promise<void> {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const [open, locked] = await Promise.all([makeKeyPair('ed25519'), makeKeyPair('ed25519', 'secret')]);
  const files = {
    id_fleetscan: open.privateKey,
    id_locked: locked.privateKey,
    id_signing: open.privateKey,
    known_hosts: 'hosts\n',
    'git.asc': ARMORED,
    'app.private-key.pem': rsa.export({ type: 'pkcs1', format: 'pem' }),
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
}

function summary(given: SecretCredential): string {
  switch (given.kind) {
    case 'basic':
      return `basic ${given.credential.username}:${given.credential.password}`;
    case 'ssh':
      return ['ssh', given.key.passphrase, given.knownHosts].filter((part) => part !== undefined).join(' ');
    case 'app':
      return `app ${given.app.appId} ${given.app.installationId}`;
  }
}
