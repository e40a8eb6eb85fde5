import { hostOf } from '../../git/address.ts';
import { connectPullRequests } from '../../git/hosts/connect.ts';
import type { Branches, HostCredential, PullRequests, PullRequestText } from '../../git/hosts/host.ts';
import type { Environment } from '../../git/environment.ts';
import type { KubeClient } from '../../kube/client.ts';
import { readSecret, type Secret } from '../../kube/secret.ts';
import { imageChanges } from '../../write-back/image-changes.ts';
import { type AskLabels, labelsOf } from '../../write-back/image-labels.ts';
import type { EditPlan } from '../../write-back/plan.ts';
import { pullRequestText } from '../../write-back/pull-request-text.ts';
import { AccessError, type GitAccess } from './git-access.ts';
import { dataOf, type Job } from './job.ts';
import type { Target } from './target.ts';

type PullRequestSpec = NonNullable<Extract<Target, { kind: 'proposal' }>['pullRequest']>;

const TIMEOUT_MS = 30_000;
const SERVICE_ACCOUNT_TOKEN = 'kubernetes.io/service-account-token';

/**
 * The pull requests of a GitRepo's repository, asked for with the token of their own Secret or what git logs in with.
 *
 * @throws {AccessError | SecretError | AddressError}
 */
export async function pullRequestsOf(
  { gitRepo, signal }: Job,
  { provider, apiURL, secretRef }: PullRequestSpec,
  { apiCredential, caFile, insecureSkipTLSVerify }: GitAccess,
  { client, environment }: { client: Pick<KubeClient, 'get'>; environment: Environment },
): Promise<PullRequests> {
  const { namespace, spec } = gitRepo;
  const own = secretRef && hostCredential(await readSecret(client, namespace, secretRef.name, signal));
  const shown = own ?? apiCredential;
  if (shown === undefined) {
    const message =
      'opening pull requests takes a token for the API: name a Secret with a key token in spec.pullRequest.secretRef';
    throw new AccessError('InvalidSecret', message);
  }
  return connectPullRequests({
    provider,
    repositoryUrl: spec.repo,
    ...(apiURL && { apiURL }),
    credential: shown,
    ...(caFile && { caFile }),
    insecureSkipTLSVerify,
    environment,
    timeoutMs: TIMEOUT_MS,
    signal,
  });
}

/**
 * `token`, or what git hosts have for logging in: `password`, with or without `username`. Not a token for Kubernetes itself, which
 * bears the same key: who may write a GitRepo, and with it name a host, need not be allowed to read that.
 */
function hostCredential({ namespace, name, type, data }: Secret): HostCredential {
  if (type === SERVICE_ACCOUNT_TOKEN) {
    const message = `Secret ${namespace}/${name} is of type ${type}, whose token is for Kubernetes and is sent to no other host`;
    throw new AccessError('WrongSecretType', message);
  }
  const [token, password, username] = [data['token'], data['password'], data['username']].map(
    (base64) => base64 && Buffer.from(base64, 'base64').toString().trim(),
  );
  if (token) return { token };
  if (!password) {
    throw new AccessError('InvalidSecret', `Secret ${namespace}/${name} has no key token, nor password`);
  }
  return username ? { username, password } : { token: password };
}

/** Whether the request of a GitRepo that waits is as the status says: people merge, close and reopen it where our branches do not tell. */
export async function isAsKnown(
  { gitRepo: { status } }: Job,
  branches: Branches,
  requests: PullRequests | undefined,
): Promise<boolean> {
  const { proposal, pullRequest } = status;
  if (requests === undefined || proposal === undefined) return true;
  const latest = await requests.latest(branches);
  return latest?.number === pullRequest?.number && latest?.state === pullRequest?.state;
}

/**
 * What the request of a plan says.
 *
 * @param ask tells where images come from; without it the request has no links to their source
 */
export async function textOf(
  { gitRepo, signal }: Job,
  { provider, title, labels = [], assignees = [] }: PullRequestSpec,
  plan: EditPlan,
  ask: AskLabels | undefined,
): Promise<PullRequestText> {
  const ofImages = ask && (await labelsOf(imageChanges(plan.edits), ask, signal));
  const text = pullRequestText(dataOf(gitRepo, plan), {
    title,
    hosts: new Map([[hostOf(gitRepo.spec.repo), provider]]),
    ...(ofImages && { labels: ofImages }),
  });
  return { ...text, labels, assignees };
}
