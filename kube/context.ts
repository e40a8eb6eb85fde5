import { KubeconfigError } from './errors.ts';
import type { Cluster, Kubeconfig, User } from './kubeconfig.ts';

/** What the command line says over the kubeconfig; the names are those of kubectl's flags. */
export interface ContextOptions {
  readonly context?: string;
  readonly cluster?: string;
  readonly user?: string;
  readonly server?: string;
  readonly token?: string;
  readonly impersonate?: Impersonation;
  readonly insecureSkipTLSVerify?: boolean;
  /** Path of a PEM file. */
  readonly certificateAuthority?: string;
  readonly tlsServerName?: string;
}

/** Who calls should be made as, by the server's leave. */
export interface Impersonation {
  readonly user?: string;
  readonly groups?: readonly string[];
  readonly uid?: string;
}

/** The cluster, user and namespace that calls are for. */
export interface ChosenContext {
  readonly cluster: Cluster & { readonly server: string };
  readonly user: User;
  readonly namespace: string;
  readonly impersonate: Impersonation;
}

/**
 * Picks the context, lets the options override what it says, and gives all that a connection needs.
 *
 * @throws {KubeconfigError} when a name in the options or the context leads nowhere, or no server is known
 */
export function chooseContext(config: Kubeconfig, options: ContextOptions): ChosenContext {
  const name = options.context ?? config['current-context'];
  const context = name === '' ? undefined : named(config.contexts, name, 'context').context;
  const clusterName = options.cluster ?? context?.cluster ?? '';
  const userName = options.user ?? context?.user ?? '';
  const cluster = withClusterOptions(
    clusterName === '' ? {} : named(config.clusters, clusterName, 'cluster').cluster,
    options,
  );
  const user = userName === '' ? {} : named(config.users, userName, 'user').user;
  if (cluster.server === undefined || cluster.server === '') throw noServer(config, clusterName);
  return {
    cluster: { ...cluster, server: checkedUrl(cluster.server) },
    user: options.token === undefined ? user : { token: options.token },
    namespace: context?.namespace || 'default',
    impersonate: { ...impersonationOf(user), ...options.impersonate },
  };
}

function withClusterOptions(cluster: Cluster, options: ContextOptions): Cluster {
  const { 'certificate-authority-data': data, 'certificate-authority': file, ...rest } = cluster;
  const trust = {
    ...(data !== undefined && { 'certificate-authority-data': data }),
    ...(file !== undefined && { 'certificate-authority': file }),
  };
  return {
    ...rest,
    ...(options.certificateAuthority === undefined
      ? trust
      : { 'certificate-authority': options.certificateAuthority }),
    ...(options.server !== undefined && { server: options.server }),
    ...(options.insecureSkipTLSVerify !== undefined && {
      'insecure-skip-tls-verify': options.insecureSkipTLSVerify,
    }),
    ...(options.tlsServerName !== undefined && { 'tls-server-name': options.tlsServerName }),
  };
}

function impersonationOf(user: User): Impersonation {
  return {
    ...(user.as !== undefined && { user: user.as }),
    ...(user['as-uid'] !== undefined && { uid: user['as-uid'] }),
    ...(user['as-groups'] !== undefined && { groups: user['as-groups'] }),
  };
}

function named<T extends { readonly name: string }>(list: readonly T[], name: string, what: string): T {
  const found = list.find((entry) => entry.name === name);
  if (found !== undefined) return found;
  const names = list.map((entry) => entry.name).join(', ');
  throw new KubeconfigError(
    'UnknownContext',
    `the kubeconfig has no ${what} "${name}"; it has ${names === '' ? 'none' : names}`,
  );
}

function noServer(config: Kubeconfig, clusterName: string): KubeconfigError {
  if (clusterName !== '')
    return new KubeconfigError(
      'InvalidKubeconfig',
      `the cluster "${clusterName}" of the kubeconfig has no server`,
    );
  if (config.contexts.length === 0) {
    return new KubeconfigError(
      'NoCluster',
      'no cluster to talk to: there is no kubeconfig in $KUBECONFIG or ~/.kube/config, and this is no pod; name one with --kubeconfig',
    );
  }
  return new KubeconfigError('NoCluster', 'the kubeconfig has no current-context; name one with --context');
}

function checkedUrl(server: string): string {
  // Without a scheme kubectl takes http.
  const url = URL.parse(/^https?:\/\//.test(server) ? server : `http://${server}`);
  if (url === null) throw new KubeconfigError('InvalidKubeconfig', `the server "${server}" is not a URL`);
  return url.href.replace(/\/+$/, '');
}
