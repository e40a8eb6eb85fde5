import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { GitError, type GitErrorCode } from '../../git/errors.ts';
import { type Signer, signCommit } from '../../git/signature.ts';
import { type GitServer, startGitServer } from '../control-plane/git-server.ts';
import { makeKeyPair } from '../control-plane/sshd.ts';
import { waitFor } from '../wait.ts';
import { makeOpenPgpKey } from './openpgp.ts';
import { AUTHOR, DATE, gitText, open, privateFolders, processesWith, temporaryFolder } from './support.ts';

const run = promisify(execFile);
const MESSAGE =
  'Update images\n\nweb: 1.2.3 -> 1.2.4 \u{1F600}\n\n-----BEGIN nothing-----\n\nSigned-off-by: x <x@y>\n';

describe('a signed commit', () => {
  let server: GitServer;
  let url: string;
  let directory: string;
  before(async () => {
    server = await startGitServer();
    ({ url, directory } = await server.createRepository('app', { 'a.yaml': 'a: 1\n' }));
  });
  after(() => server.stop());

  /** Signs a commit of ours, pushes it, and gives its id on the server. */
  async function pushedBy(t: TestContext, signer: Signer): Promise<string> {
    const repository = await open(t, { url, signer });
    const parent = await repository.fetch('main');
    const changes = [{ path: 'a.yaml', mode: '100644' as const, content: Buffer.from(`from: ${parent}\n`) }];
    const commit = await repository.commit({ parent, changes, author: AUTHOR, message: MESSAGE, date: DATE });
    await repository.push(commit, 'main', parent);
    assert.equal(gitText(directory, ['rev-parse', 'main']), commit);
    return commit;
  }

  test('by SSH is verified by git, whatever the type of the key', async (t) => {
    for (const type of ['ed25519', 'ecdsa', 'rsa'] as const) {
      const { privateKey, publicKey } = await makeKeyPair(type);
      const commit = await pushedBy(t, { format: 'SSH', privateKey });
      const allowed = path.join(temporaryFolder(t), 'allowed');
      await writeFile(allowed, `${AUTHOR.email} ${publicKey}`);
      const said = await verified(directory, commit, ['-c', `gpg.ssh.allowedSignersFile=${allowed}`]);
      assert.match(said, /^Good "git" signature for fleetscan@example\.org/);
      await writeFile(allowed, `${AUTHOR.email} ${(await makeKeyPair(type)).publicKey}`);
      await assert.rejects(verified(directory, commit, ['-c', `gpg.ssh.allowedSignersFile=${allowed}`]));
    }
  });

  test('says what it would say unsigned, byte for byte', async (t) => {
    const { privateKey } = await makeKeyPair('ed25519');
    const commit = await pushedBy(t, { format: 'SSH', privateKey });
    const raw = gitText(directory, ['cat-file', 'commit', commit]);
    const unsigned = raw.replace(/\ngpgsig -----BEGIN SSH SIGNATURE-----\n(?: .*\n)+(?=\n)/, '\n');
    assert.notEqual(unsigned, raw);
    assert.match(unsigned, /^tree .{40}\nparent .{40}\nauthor .*\ncommitter .* 4081734489 \+0000\n\nUpdate/);
    assert.equal(unsigned.slice(unsigned.indexOf('\n\n') + 2), MESSAGE.trimEnd());
    gitText(directory, ['fsck', '--strict', commit]);
  });

  test('by OpenPGP is verified by git', async (t) => {
    const { privateKey, home } = await makeOpenPgpKey(t);
    const commit = await pushedBy(t, { format: 'OpenPGP', privateKey });
    assert.match(
      await verified(directory, commit, [], { GNUPGHOME: home }),
      /Good signature from "Fleetscan/,
    );
  });

  test('by a subkey of a key whose main part is elsewhere', async (t) => {
    const { privateKey, home } = await makeOpenPgpKey(t, { subkeyOnly: true });
    const commit = await pushedBy(t, { format: 'OpenPGP', privateKey });
    assert.match(
      await verified(directory, commit, [], { GNUPGHOME: home }),
      /Good signature from "Fleetscan/,
    );
  });

  test('of a key with a passphrase', async (t) => {
    const passphrase = 'pass "$(phrase)" \u{FC}';
    const pair = await makeKeyPair('ed25519', passphrase);
    await pushedBy(t, { format: 'SSH', privateKey: pair.privateKey, passphrase });
    const { privateKey, home } = await makeOpenPgpKey(t, { passphrase });
    const commit = await pushedBy(t, { format: 'OpenPGP', privateKey, passphrase });
    assert.match(await verified(directory, commit, [], { GNUPGHOME: home }), /Good signature/);
  });

  test('is not made with a wrong passphrase, or without one', async (t) => {
    const pair = await makeKeyPair('ed25519', 'right');
    const pgp = await makeOpenPgpKey(t, { passphrase: 'right' });
    for (const [format, privateKey] of [
      ['SSH', pair.privateKey],
      ['OpenPGP', pgp.privateKey],
    ] as const) {
      await fails(
        pushedBy(t, { format, privateKey, passphrase: 'wrong' }),
        'InvalidKey',
        /passphrase .*is wrong/,
      );
      await fails(pushedBy(t, { format, privateKey }), 'InvalidKey', /has a passphrase, which is not given/);
    }
  });

  test('is not made with what is no key for it', async (t) => {
    const pair = await makeKeyPair('ed25519');
    const pgp = await makeOpenPgpKey(t);
    const other = await makeOpenPgpKey(t);
    const by = (format: Signer['format'], privateKey: string) => pushedBy(t, { format, privateKey });
    await fails(
      by('OpenPGP', pair.privateKey),
      'InvalidKey',
      /OpenPGP key cannot be read: .*no valid OpenPGP data/,
    );
    await fails(by('OpenPGP', pgp.publicKey), 'InvalidKey', /a public key only/);
    await fails(by('OpenPGP', pgp.privateKey + other.privateKey), 'InvalidKey', /several/);
    const broken = pair.privateKey.replace(/\n.{20}/, '\nAAAAAAAAAAAAAAAAAAAA');
    await fails(by('SSH', broken), 'SigningFailed', /SSH key: .*key/);
  });

  test('is not made with an OpenPGP key that has expired', async (t) => {
    const { privateKey } = await makeOpenPgpKey(t, { expired: true });
    await fails(pushedBy(t, { format: 'OpenPGP', privateKey }), 'SigningFailed', /expired/);
  });

  test('leaves neither key nor agent behind', async (t) => {
    const { privateKey } = await makeOpenPgpKey(t);
    await pushedBy(t, { format: 'OpenPGP', privateKey });
    await pushedBy(t, { format: 'SSH', privateKey: (await makeKeyPair('ed25519')).privateKey });
    assert.deepEqual(await privateFolders(), []);
    // An agent that is told to end takes a moment to do so.
    const agents = (): string[] => processesWith(`fleetscan-private-${process.pid}-`);
    await waitFor('the end of the agent', () => (agents().length === 0 ? true : undefined));
  });

  test('of a repository with SHA-256 has the header of that format', async (t) => {
    const gitDirectory = path.join(temporaryFolder(t), 'sha256.git');
    const environment = { PATH: process.env['PATH'] };
    const context = { gitDirectory, environment, settings: [], timeoutMs: 10_000 };
    gitText(gitDirectory, ['init', '--quiet', '--bare', '--object-format=sha256']);
    const tree = gitText(gitDirectory, ['write-tree']);
    const author = ['-c', 'user.name=x', '-c', 'user.email=x@y'];
    const commit = gitText(gitDirectory, [...author, 'commit-tree', '-m', 'first', tree]);
    const { privateKey, publicKey } = await makeKeyPair('ed25519');
    const signed = await signCommit(context, commit, { format: 'SSH', privateKey });
    assert.match(gitText(gitDirectory, ['cat-file', 'commit', signed]), /\ngpgsig-sha256 -----BEGIN SSH/);
    const allowed = path.join(temporaryFolder(t), 'allowed');
    await writeFile(allowed, `x@y ${publicKey}`);
    assert.match(
      await verified(gitDirectory, signed, ['-c', `gpg.ssh.allowedSignersFile=${allowed}`]),
      /^Good "git" signature for x@y/,
    );
  });
});

/** What `git verify-commit` says of a commit; it fails when the signature is not good. */
async function verified(
  directory: string,
  commit: string,
  settings: string[],
  variables: Record<string, string> = {},
): Promise<string> {
  const { stderr, stdout } = await run(
    'git',
    ['--git-dir', directory, ...settings, 'verify-commit', commit],
    {
      env: { PATH: process.env['PATH'], HOME: '/dev/null', GIT_CONFIG_GLOBAL: '/dev/null', ...variables },
    },
  );
  return stdout + stderr.replaceAll(/^gpg: (?:Signature made|\s+using).*\n/gm, '');
}

async function fails(work: Promise<unknown>, code: GitErrorCode, message: RegExp): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof GitError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    assert.doesNotMatch(error.message, /\n|BEGIN|fleetscan-private/);
    return true;
  });
}
