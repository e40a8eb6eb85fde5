import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { SshKey } from './address.ts';
import type { GitContext } from './environment.ts';
import { withPrivateFolder } from './private-folder.ts';
import { writePrivateKey } from './private-key.ts';

// git gives this text to a shell, so it is a constant: the one thing that varies stands in a variable, whose value no shell
// reads as code. GIT_SSH, which no shell sees, would need a program of our own on a disk that may forbid to run any.
const SSH_COMMAND = 'exec ssh -F "$FLEETSCAN_SSH_CONFIG"';

/**
 * Does `work` with a context in which git reaches servers by ssh with this key and these known hosts, and nothing else of
 * the machine: no agent, no keys or configuration of the user or the system, no questions. Key and configuration are files
 * in a private folder for as long as `work` takes.
 *
 * @throws {GitError} `InvalidKey`
 */
export async function withSsh<T>(
  context: GitContext,
  key: SshKey,
  work: (context: GitContext) => Promise<T>,
): Promise<T> {
  return withPrivateFolder(async (folder) => {
    const identity = await writePrivateKey(context, folder, key);
    const knownHosts = path.join(folder, 'known_hosts');
    const config = path.join(folder, 'config');
    await writeFile(knownHosts, `${key.knownHosts.replaceAll('\r\n', '\n')}\n`, { mode: 0o600 });
    await writeFile(config, configuration(identity, knownHosts), { mode: 0o600 });
    const variables = {
      GIT_SSH_COMMAND: SSH_COMMAND,
      GIT_SSH_VARIANT: 'ssh',
      FLEETSCAN_SSH_CONFIG: config,
    };
    return work({ ...context, variables: { ...context.variables, ...variables } });
  });
}

/** See ssh_config(5). With a file given by -F, neither the user's nor the system's is read. */
function configuration(identity: string, knownHosts: string): string {
  const settings = {
    IdentityFile: quoted(identity),
    IdentitiesOnly: 'yes',
    IdentityAgent: 'none',
    PreferredAuthentications: 'publickey',
    BatchMode: 'yes',
    StrictHostKeyChecking: 'yes',
    UserKnownHostsFile: quoted(knownHosts),
    GlobalKnownHostsFile: '/dev/null',
    UpdateHostKeys: 'no',
    VerifyHostKeyDNS: 'no',
    CheckHostIP: 'no',
    CanonicalizeHostname: 'no',
    ConnectTimeout: '20',
    ServerAliveInterval: '15',
    ServerAliveCountMax: '3',
    ForwardAgent: 'no',
    ForwardX11: 'no',
    ClearAllForwardings: 'yes',
    ControlMaster: 'no',
    ControlPath: 'none',
    PermitLocalCommand: 'no',
    LogLevel: 'ERROR',
  };
  const lines = Object.entries(settings).map(([name, value]) => `  ${name} ${value}\n`);
  return `Host *\n${lines.join('')}`;
}

/** A path in a configuration, in which % begins a token. */
function quoted(file: string): string {
  return `"${file.replaceAll('%', '%%')}"`;
}
