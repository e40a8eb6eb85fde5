import type { Command } from 'commander';

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
  /** A duration as `durationFlag` reads it. */
  readonly requestTimeout: string;
  readonly insecureSkipTlsVerify?: boolean;
  readonly certificateAuthority?: string;
  readonly tlsServerName?: string;
}

/** Declares {@link ConnectionFlags}. kubectl takes none of its own flags before the name of a plugin, so they are ours. */
export function addConnectionFlags(program: Command): void {
  program
    .option('--kubeconfig <file>', 'path of the kubeconfig')
    .option('--context <name>', 'context of the kubeconfig to use')
    .option('--cluster <name>', 'cluster of the kubeconfig to use')
    .option('--user <name>', 'user of the kubeconfig to use')
    .option('-n, --namespace <name>', 'namespace to work in')
    .option('-s, --server <url>', 'address of the API server')
    .option('--token <token>', 'bearer token')
    .option('--as <user>', 'user to act as')
    .option<string[] | undefined>('--as-group <group>', 'group to act as; may be repeated', collect)
    .option('--as-uid <uid>', 'UID to act as')
    .option('--request-timeout <duration>', 'time for one request, such as 5s; 0: no end', '30s')
    .option('--insecure-skip-tls-verify', "do not verify the server's certificate")
    .option('--certificate-authority <file>', 'certificates to verify the server with')
    .option('--tls-server-name <name>', "name in the server's certificate");
}

function collect(value: string, earlier: readonly string[] | undefined): string[] {
  return [...(earlier ?? []), value];
}
