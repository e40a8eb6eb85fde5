import type { Command } from 'commander';
import type { ClientOptions, KubeClient } from '../kube/client.ts';
import { UsageError } from './failure.ts';

/** The flags that all verbs share; their names and meanings are kubectl's. */
export interface ConnectionFlags {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly cluster?: string;
  readonly user?: string;
  readonly namespace?: string;
  readonly server?: string;
  readonly token?: string;
  readonly as?: string;
  readonly asGroup?: readonly string[];
  readonly asUid?: string;
  readonly requestTimeout: string;
  readonly insecureSkipTlsVerify?: boolean;
  readonly certificateAuthority?: string;
  readonly tlsServerName?: string;
}

/** Declares {@link ConnectionFlags}. kubectl takes none of its own flags before the name of a plugin, so they are ours. */
export function addConnectionOptions(program: Command): void {
  program
    .option('--kubeconfig <file>', 'path of the kubeconfig')
    .option('--context <name>', 'context of the kubeconfig to use')
    .option('--cluster <name>', 'cluster of the kubeconfig to use')
    .option('--user <name>', 'user of the kubeconfig to use')
    .option('-n, --namespace <name>', 'namespace to work in')
    .option('-s, --server <url>', 'address of the API server')
    .option('--token <token>', 'bearer token')
    .option('--as <user>', 'user to act as')
    .option('--as-group <group...>', 'groups to act as')
    .option('--as-uid <uid>', 'UID to act as')
    .option('--request-timeout <duration>', 'time for one request, such as 5s; 0: no end', '30s')
    .option('--insecure-skip-tls-verify', "do not verify the server's certificate")
    .option('--certificate-authority <file>', 'certificates to verify the server with')
    .option('--tls-server-name <name>', "name in the server's certificate");
}

/**
 * Connects as the flags say, and finds the namespace to work in.
 *
 * @throws {KubeconfigError | UsageError}
 */
export async function connection(flags: ConnectionFlags): Promise<{ client: KubeClient; namespace: string }> {
  const { connect } = await import('../kube/client.ts');
  const client = await connect(await clientOptions(flags));
  return { client, namespace: flags.namespace ?? client.namespace };
}

async function clientOptions(flags: ConnectionFlags): Promise<ClientOptions> {
  const { as, asGroup, asUid, insecureSkipTlsVerify, requestTimeout, namespace: _, ...rest } = flags;
  const impersonate = {
    ...(as && { user: as }),
    ...(asGroup && { groups: asGroup }),
    ...(asUid && { uid: asUid }),
  };
  const { kubeconfig, context, cluster, user, server, token, certificateAuthority, tlsServerName } = rest;
  const named = { kubeconfig, context, cluster, user, server, token, certificateAuthority, tlsServerName };
  return {
    ...(Object.fromEntries(
      Object.entries(named).filter(([, value]) => value !== undefined),
    ) as Partial<ClientOptions>),
    impersonate,
    insecureSkipTLSVerify: insecureSkipTlsVerify ?? false,
    requestTimeoutMs: await durationFlag('--request-timeout', requestTimeout),
    userAgent: 'kubectl-fleetscan',
  };
}

/**
 * A duration given on the command line, in milliseconds; 0 becomes the longest that a timer takes.
 *
 * @throws {UsageError}
 */
export async function durationFlag(flag: string, text: string): Promise<number> {
  const { parseDuration, DurationError } = await import('../core/duration.ts');
  try {
    return parseDuration(text) || 2 ** 31 - 1;
  } catch (error) {
    if (error instanceof DurationError) throw new UsageError('Usage', `${flag}: ${error.message}`);
    throw error;
  }
}
