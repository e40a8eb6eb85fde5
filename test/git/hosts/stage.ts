import diagnostics from 'node:diagnostics_channel';
import { connectPullRequests, type HostConnection } from '../../../git/hosts/connect.ts';
import type { Branches, PullRequests } from '../../../git/hosts/host.ts';
import { FakeBitbucketCloud, uuidOf } from '../../fakes/hosts/bitbucket-cloud.ts';
import { FakeBitbucketDataCenter } from '../../fakes/hosts/bitbucket-data-center.ts';
import { FakeGitea } from '../../fakes/hosts/gitea.ts';
import { FakeGitHub } from '../../fakes/hosts/github.ts';
import { FakeGitLab } from '../../fakes/hosts/gitlab.ts';
import type { FakeHost } from '../../fakes/hosts/server.ts';

/** The fakes by their names, each made anew. */
export const FAKES: Readonly<Record<string, () => FakeHost>> = {
  GitHub: () => new FakeGitHub(),
  GitLab: () => new FakeGitLab(),
  Gitea: () => new FakeGitea(),
  'Bitbucket Cloud': () => new FakeBitbucketCloud(),
  'Bitbucket Data Center': () => new FakeBitbucketDataCenter(),
};

/** How a fake's repository is connected to; only where the API's URL does not follow from the repository's it is given. */
export function connectionTo(host: FakeHost): HostConnection & Required<Pick<HostConnection, 'credential'>> {
  return {
    provider: host.provider,
    repositoryUrl: host.repositoryUrl,
    ...(!host.repositoryUrl.startsWith(host.url) && { apiURL: host.apiURL }),
    credential: host.credential,
    environment: {},
    timeoutMs: 10_000,
  };
}

/** The pull requests of a fake's repository. */
export function connectTo(host: FakeHost, more: Partial<HostConnection> = {}): PullRequests {
  return connectPullRequests({ ...connectionTo(host), ...more });
}

/** What is on a request, for people who look at it. */
export interface Sight {
  readonly title: string;
  readonly body: string;
  readonly labels: readonly string[];
  readonly assignees: readonly string[];
  readonly comments: readonly string[];
}

/** A repository on a host, fake or real, and the people who work in it. It has the branches main, release/1 and bot/main. */
export interface Stage {
  readonly requests: PullRequests;
  /** Whether the host has labels and assignees; else its reviewers stand for the latter. */
  readonly hasLabels: boolean;
  /** How the host is told of a user. */
  login(name: 'ann' | 'bob' | 'nobody'): string;
  look(number: number): Promise<Sight>;
  merge(number: number): Promise<void>;
  close(number: number): Promise<void>;
  label(number: number, name: string): Promise<void>;
  /** Assigns somebody besides those who are. */
  assign(number: number, name: 'ann' | 'bob'): Promise<void>;
  /** Somebody else opens a request between branches of these names. */
  open(branches: Branches, from: 'same repository' | 'fork'): Promise<void>;
}

/** A stage on a fake. */
export function stageOn(host: FakeHost): Stage {
  const { forge } = host;
  const pull = (number: number) => {
    const found = forge.find(number);
    if (found === undefined) throw new Error(`the fake has no request ${number}`);
    return found;
  };
  return {
    requests: connectTo(host),
    hasLabels: host.provider !== 'Bitbucket',
    login: (name) => (host instanceof FakeBitbucketCloud ? uuidOf(name) : name),
    look: async (number) => ({ ...pull(number) }),
    merge: async (number) => void (pull(number).state = 'merged'),
    close: async (number) => void (pull(number).state = 'closed'),
    label: async (number, name) => forge.label(pull(number), [name]),
    assign: async (number, name) => void pull(number).assignees.push(name),
    open: async ({ source, target }, from) =>
      void forge.open(source, target, { title: 'Theirs', body: '' }, from === 'fork'),
  };
}

/** How many requests that change something are sent while `act` runs. */
export async function writesDuring(act: () => Promise<unknown>): Promise<number> {
  let writes = 0;
  const count = (message: unknown): void => {
    const { request } = message as { request: { method: string } };
    if (request.method !== 'GET') writes++;
  };
  diagnostics.subscribe('undici:request:create', count);
  try {
    await act();
  } finally {
    diagnostics.unsubscribe('undici:request:create', count);
  }
  return writes;
}
