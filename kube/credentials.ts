// The one file that imports client-node, and for nothing but credentials. It costs most of a second to load, so it is
// itself imported when a connection is opened and not before.
import { access } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import { messageOf } from '../core/errors.ts';
import { type ChosenContext, type ContextOptions, chooseContext, type Impersonation } from './context.ts';
import { KubeconfigError } from './errors.ts';
import { type Kubeconfig, parseKubeconfig, readKubeconfig } from './kubeconfig.ts';
import type { Credentials, Identity } from './identity.ts';

/** Tokens and certificates are asked for again after this time, so that rotated files and renewed logins are seen. */
const FRESH_MS = 30_000;
const SERVICE_ACCOUNT_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';

export interface CredentialOptions extends ContextOptions {
  readonly kubeconfig?: string;
}

/**
 * Finds the cluster and the credentials for it: kubeconfig, else the pod's service account.
 *
 * @throws {KubeconfigError} when there are none or they cannot be read
 */
export async function openCredentials(options: CredentialOptions): Promise<Credentials> {
  const fromFile = await readKubeconfig(options.kubeconfig);
  const inPod =
    fromFile === undefined && options.server === undefined && (await exists(SERVICE_ACCOUNT_TOKEN));
  const config = fromFile ?? (inPod ? serviceAccountConfig() : parseKubeconfig('', 'no kubeconfig'));
  return credentialsOf(chooseContext(config, options), inPod);
}

function credentialsOf(chosen: ChosenContext, inPod: boolean): Credentials {
  let source = clientNodeConfig(chosen);
  let cached: { identity: Promise<Identity>; until: number } | undefined;
  return {
    server: chosen.cluster.server,
    namespace: chosen.namespace,
    proxy: proxyOf(chosen, inPod),
    identity() {
      if (cached !== undefined && performance.now() < cached.until) return cached.identity;
      const identity = identityOf(source, chosen.impersonate);
      cached = { identity, until: performance.now() + FRESH_MS };
      identity.catch(() => (cached = undefined));
      return identity;
    },
    renew() {
      // A new object forgets the tokens that client-node itself keeps.
      source = clientNodeConfig(chosen);
      cached = undefined;
    },
  };
}

async function identityOf(source: KubeConfig, impersonate: Impersonation): Promise<Identity> {
  const options: RequestOptions = {};
  try {
    await source.applyToHTTPSOptions(options);
  } catch (error) {
    throw new KubeconfigError(
      'InvalidKubeconfig',
      `no credentials for the cluster: ${messageOf(error).trim()}`,
      { cause: error },
    );
  }
  return {
    headers: { ...authorization(options), ...impersonationHeaders(impersonate) },
    tls: {
      ...(options.ca !== undefined && { ca: options.ca }),
      ...(options.cert !== undefined && { cert: options.cert }),
      ...(options.key !== undefined && { key: options.key }),
      ...(options.servername !== undefined && { servername: options.servername }),
      ...(options.rejectUnauthorized !== undefined && { rejectUnauthorized: options.rejectUnauthorized }),
    },
  };
}

function authorization(options: RequestOptions): Identity['headers'] {
  const header: unknown = Object.getOwnPropertyDescriptor(options.headers ?? {}, 'Authorization')?.value;
  // A token file usually ends with a line break, which no header may hold.
  if (typeof header === 'string') return { authorization: header.trim() };
  if (typeof options.auth === 'string')
    return { authorization: `Basic ${Buffer.from(options.auth).toString('base64')}` };
  return {};
}

function impersonationHeaders({ user, groups, uid }: Impersonation): Identity['headers'] {
  return {
    ...(user !== undefined && { 'impersonate-user': user }),
    ...(groups !== undefined && groups.length > 0 && { 'impersonate-group': [...groups] }),
    ...(uid !== undefined && { 'impersonate-uid': uid }),
  };
}

function clientNodeConfig({ cluster, user }: ChosenContext): KubeConfig {
  const config = new KubeConfig();
  const document = {
    // client-node refuses http: unless TLS verification is off, though there is nothing to verify.
    clusters: [
      {
        name: 'it',
        cluster: {
          ...cluster,
          ...(cluster.server.startsWith('http:') && { 'insecure-skip-tls-verify': true }),
        },
      },
    ],
    users: [{ name: 'it', user: clientNodeUser(user) }],
    contexts: [{ name: 'it', context: { cluster: 'it', user: 'it' } }],
    'current-context': 'it',
  };
  config.loadFromString(JSON.stringify(document));
  return config;
}

/**
 * What client-node leaves out: it does not know `tokenFile`, which goes before `token` in client-go, and tells a credential
 * plugin nothing of the call (client-go sets KUBERNETES_EXEC_INFO, by which a plugin knows that it may not ask a person).
 */
function clientNodeUser(user: User): object {
  if (user.tokenFile !== undefined) {
    return { 'auth-provider': { name: 'tokenFile', config: { tokenFile: user.tokenFile } } };
  }
  if (!user.exec) return user;
  const { apiVersion = 'client.authentication.k8s.io/v1' } = user.exec;
  const info = JSON.stringify({ apiVersion, kind: 'ExecCredential', spec: { interactive: false } });
  return {
    ...user,
    exec: { ...user.exec, env: [...(user.exec.env ?? []), { name: 'KUBERNETES_EXEC_INFO', value: info }] },
  };
}
type User = ChosenContext['user'];

function serviceAccountConfig(): Kubeconfig {
  const config = new KubeConfig();
  config.loadFromCluster();
  const [context] = config.contexts;
  const exported = parseKubeconfig(config.exportConfig(), 'the service account of this pod');
  const namespace = context?.namespace?.trim() ?? 'default';
  return {
    ...exported,
    contexts: exported.contexts.map((entry) => ({ ...entry, context: { ...entry.context, namespace } })),
  };
}

// The API server's address inside a cluster is never behind a proxy, nor is this machine.
function proxyOf({ cluster }: ChosenContext, inPod: boolean): Credentials['proxy'] {
  if (cluster['proxy-url']) return { url: cluster['proxy-url'] };
  const { hostname } = new URL(cluster.server);
  const loopback = hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
  return inPod || loopback ? 'none' : 'environment';
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
