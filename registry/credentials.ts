import { matchesGlob } from '../core/glob.ts';
import { DOCKER_HUB, type Reference } from '../core/reference.ts';
import type { Credential, PullSecret } from './pull-secret.ts';

export {
  type Credential,
  CredentialsError,
  parsePullSecret,
  type PullSecret,
  type SecretData,
} from './pull-secret.ts';

/**
 * The credentials that pull secrets hold for an image, by the kubelet's rules (k8s.io/kubernetes,
 * pkg/credentialprovider/keyring.go): scheme and `/v1/` or `/v2/` of a key do not count; host labels may be globs; the port
 * must be the same; the path must begin the repository's; all secrets count as one, the most specific key first.
 */
export function credentialsFor(
  secrets: readonly PullSecret[],
  reference: Pick<Reference, 'registry' | 'repository'>,
): Credential[] {
  return secrets
    .flatMap((secret) => secret.entries)
    .map((entry) => ({ ...entry, scope: scopeOf(entry.key) }))
    .filter(({ scope }) => coversImage(scope, reference))
    .toSorted((a, b) => compareDescending(a.scope, b.scope))
    .map(({ credential }) => credential);
}

/** Whether a pattern, such as a key of a Docker configuration or `*.dkr.ecr.*.amazonaws.com`, stands for an image, by the same rules. */
export function matchesImage(
  pattern: string,
  reference: Pick<Reference, 'registry' | 'repository'>,
): boolean {
  return coversImage(scopeOf(pattern), reference);
}

function coversImage(scope: Scope, reference: Pick<Reference, 'registry' | 'repository'>): boolean {
  return hostsOf(reference).some((host) => covers(scope, host, reference.repository));
}

/** What a key of a Docker configuration stands for. */
interface Scope {
  readonly host: string;
  /** Empty, or begins with a slash. */
  readonly path: string;
}

// The kubelet knows Docker Hub's images as docker.io/… and falls back to what `docker login` writes, index.docker.io/v1/.
const DOCKER_HUB_HOSTS = ['docker.io', DOCKER_HUB, 'registry-1.docker.io'];

function hostsOf({ registry }: Pick<Reference, 'registry'>): string[] {
  return registry === DOCKER_HUB ? DOCKER_HUB_HOSTS : [registry.toLowerCase()];
}

function scopeOf(key: string): Scope {
  const address = key.replace(/^https?:\/\//i, '');
  const slash = address.indexOf('/');
  if (slash < 0) return { host: address.toLowerCase(), path: '' };
  const path = address.slice(slash).replace(/^\/v[12](?=\/|$)/, '');
  return { host: address.slice(0, slash).toLowerCase(), path: path === '/' ? '' : path };
}

function covers(scope: Scope, host: string, repository: string): boolean {
  const [pattern, target] = [splitHost(scope.host), splitHost(host)];
  return (
    pattern.port === target.port &&
    pattern.labels.length === target.labels.length &&
    pattern.labels.every((label, index) => matchesGlob(label, target.labels[index] ?? '')) &&
    `/${repository}`.startsWith(scope.path)
  );
}

function splitHost(host: string): { labels: string[]; port: string } {
  const [, name = host, port = ''] = /^(.*?)(?::(\d+))?$/.exec(host) ?? [];
  return { labels: name.split('.'), port };
}

// In descending order a longer path comes before the shorter one that it begins with, and a name before a glob.
function compareDescending(a: Scope, b: Scope): number {
  const [first, second] = [a.host + a.path, b.host + b.path];
  if (first === second) return 0;
  return first < second ? 1 : -1;
}
