import { type ClientOptions, connect, type KubeClient } from '../kube/client.ts';
import type { ConnectionFlags } from './connection-flags.ts';
import { durationFlag } from './duration-flag.ts';
import { pathSegment } from './names.ts';

/** A client, and the namespace to work in. */
export interface Connection {
  readonly client: KubeClient;
  readonly namespace: string;
}

/**
 * Connects as the flags say, lets `work` do its part, and closes the connection.
 *
 * @throws {KubeconfigError | UsageError} and what `work` throws
 */
export async function connected(
  flags: ConnectionFlags,
  work: (connection: Connection) => Promise<void>,
): Promise<void> {
  const client = await connect(clientOptions(flags));
  try {
    // As kubectl has it, an empty name says nothing.
    await work({ client, namespace: pathSegment('a namespace', flags.namespace || client.namespace) });
  } finally {
    await client.close();
  }
}

/**
 * What the flags say to the client. A flag that is not given leaves the kubeconfig's word as it is.
 *
 * @throws {UsageError} when the request timeout is no duration
 */
export function clientOptions(flags: ConnectionFlags): ClientOptions {
  const { as, asGroup, asUid, insecureSkipTlsVerify, requestTimeout, ...same } = flags;
  return {
    ...same,
    impersonate: {
      ...(as && { user: as }),
      ...(asGroup && { groups: asGroup }),
      ...(asUid && { uid: asUid }),
    },
    ...(insecureSkipTlsVerify && { insecureSkipTLSVerify: true }),
    requestTimeoutMs: durationFlag('--request-timeout', requestTimeout),
    userAgent: 'kubectl-fleetscan',
  };
}
