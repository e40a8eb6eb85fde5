import { chmod, chown, mkdir, readdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { freePort, startProcess, temporaryFolder, untilReady } from './processes.ts';
import { mustRun } from './run.ts';
import { type SshdProgram, sshdProgram } from './sshd-program.ts';
import { unprivileged } from './unprivileged.ts';

/** Key pairs of OpenSSH. */
export interface KeyPair {
  readonly privateKey: string;
  readonly publicKey: string;
}

/** An OpenSSH server on a port of 127.0.0.1, behind which lie bare repositories of this machine. */
export interface SshServer {
  readonly host: string;
  readonly port: number;
  /** Whom it lets in, with the key. */
  readonly user: string;
  /** The lines of a known_hosts file. */
  readonly knownHosts: string;
  /** What it wrote to its log so far. */
  log(): string;
  /** The URL of a repository, which is opened to the server's user first. */
  serve(directory: string): Promise<string>;
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';

/** Starts one that lets in whoever has the private key of one of these public keys. */
export async function startSshServer({ authorizedKeys }: { authorizedKeys: string[] }): Promise<SshServer> {
  const folder = temporaryFolder('sshd');
  const uid = unprivileged()?.uid;
  const program = await sshdProgram(uid === undefined ? undefined : join(folder, 'program'));
  const user = program.nssWrapper === undefined ? userInfo().username : 'git';
  const port = await freePort();
  const { publicKey } = await writeHostKey(folder);
  await writeFile(join(folder, 'authorized_keys'), authorizedKeys.join('\n'));
  await writeFile(join(folder, 'sshd_config'), configuration(folder, port, program));
  await writeAccounts(folder, user, uid ?? process.getuid?.() ?? 0);
  if (uid !== undefined) await give(folder, uid);
  const running = startProcess({
    name: 'sshd',
    command: program.command,
    args: ['-D', '-e', '-f', join(folder, 'sshd_config')],
    env: { ...program.environment, ...wrapperVariables(folder, program) },
    ...(uid !== undefined && { account: { uid, gid: uid } }),
  });
  await untilReady(running, () => isListening(port));
  return {
    host: HOST,
    port,
    user,
    knownHosts: `[${HOST}]:${port} ${publicKey}`,
    log: () => running.output(),
    serve: async (directory) => {
      if (uid !== undefined) await open(directory);
      return `ssh://${user}@${HOST}:${port}${directory}`;
    },
    stop: () => running.stop(),
  };
}

/** Makes a key pair; with a passphrase when one is given. */
export async function makeKeyPair(type: 'ed25519' | 'rsa' | 'ecdsa', passphrase = ''): Promise<KeyPair> {
  const file = join(temporaryFolder('key'), 'key');
  await mustRun('ssh-keygen', ['-q', '-t', type, '-N', passphrase, '-C', 'test', '-f', file]);
  const [privateKey, publicKey] = await Promise.all([file, `${file}.pub`].map((path) => text(path)));
  return { privateKey: privateKey ?? '', publicKey: publicKey ?? '' };
}

async function text(path: string): Promise<string> {
  return (await mustRun('cat', [path])).stdout;
}

async function writeHostKey(folder: string): Promise<KeyPair> {
  const pair = await makeKeyPair('ed25519');
  await writeFile(join(folder, 'host_key'), pair.privateKey, { mode: 0o600 });
  return pair;
}

function configuration(folder: string, port: number, { settings }: SshdProgram): string {
  const all = {
    ListenAddress: `${HOST}:${port}`,
    HostKey: join(folder, 'host_key'),
    AuthorizedKeysFile: join(folder, 'authorized_keys'),
    // The folder of the tests is everybody's.
    StrictModes: 'no',
    UsePAM: 'no',
    PidFile: 'none',
    PasswordAuthentication: 'no',
    KbdInteractiveAuthentication: 'no',
    AcceptEnv: 'GIT_PROTOCOL',
    // The repositories are not of the user that serves them.
    SetEnv: 'GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0=*',
    MaxStartups: '100',
    LogLevel: 'VERBOSE',
    ...settings,
  };
  return Object.entries(all)
    .map(([name, value]) => `${name} ${value}\n`)
    .join('');
}

async function writeAccounts(folder: string, user: string, uid: number): Promise<void> {
  await writeFile(join(folder, 'passwd'), `${user}:x:${uid}:${uid}::${folder}:/bin/sh\n`);
  await writeFile(join(folder, 'group'), `${user}:x:${uid}:\n`);
}

function wrapperVariables(folder: string, { nssWrapper }: SshdProgram): NodeJS.ProcessEnv {
  if (nssWrapper === undefined) return {};
  return {
    LD_PRELOAD: nssWrapper,
    NSS_WRAPPER_PASSWD: join(folder, 'passwd'),
    NSS_WRAPPER_GROUP: join(folder, 'group'),
  };
}

async function give(folder: string, uid: number): Promise<void> {
  const names = await readdir(folder);
  for (const path of [folder, ...names.map((name) => join(folder, name))]) await chown(path, uid, uid);
}

/** Opens a repository to everybody, also for what is written to it later. */
async function open(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await chmod(dirname(directory), 0o755);
  await mustRun('git', ['--git-dir', directory, 'config', 'core.sharedRepository', '0777']);
  await mustRun('chmod', ['-R', 'a+rwX', directory]);
}

function isListening(port: number): Promise<true | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, HOST);
    socket.once('error', () => resolve(undefined));
    socket.once('data', () => {
      socket.destroy();
      resolve(true);
    });
    socket.setTimeout(1000, () => {
      socket.destroy();
      resolve(undefined);
    });
  });
}
