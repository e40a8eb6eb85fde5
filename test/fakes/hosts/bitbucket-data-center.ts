import type { FakePull } from './forge.ts';
import { FakeHost, type HostRequest, list, type Reply, type Route, text } from './server.ts';

const PULLS = '/git/rest/api/1.0/projects/ACME/repos/app/pull-requests';
const PULL = 'com.atlassian.bitbucket.pull.';

/** Bitbucket Data Center's API 1.0 as its documentation has it, for a server that is installed under a path. */
export class FakeBitbucketDataCenter extends FakeHost {
  readonly provider = 'Bitbucket';
  readonly basePath = '/git/rest/api/1.0';
  protected readonly clonePath = '/git/scm/ACME/app.git';
  readonly credential = { token: 'BBDC-secret' };
  protected readonly authorizations = [
    'Bearer BBDC-secret',
    `Basic ${Buffer.from('ann:secret').toString('base64')}`,
  ];
  protected readonly unauthorized = error(
    401,
    'Authentication failed. Please check your credentials and try again.',
    'com.atlassian.bitbucket.auth.IncorrectPasswordAuthenticationException',
  );
  protected readonly notFound = error(
    404,
    'Pull request does not exist.',
    `${PULL}NoSuchPullRequestException`,
  );
  protected readonly routes: readonly Route[] = [
    route('GET', '', (request) => this.#list(request.query)),
    route('POST', '', (request) => this.#create(request)),
    route('GET', '/(\\d+)', (_, id) => this.#on(id, (pull) => ({ status: 200, json: shown(pull) }))),
    route('PUT', '/(\\d+)', (request, id) => this.#on(id, (pull) => this.#edit(pull, request))),
    route('POST', '/(\\d+)/comments', (request, id) =>
      this.#on(id, (pull) => {
        pull.comments.push(text(request, 'text') ?? '');
        return { status: 201, json: { id: pull.comments.length, text: text(request, 'text') } };
      }),
    ),
    route('POST', '/(\\d+)/decline', ({ query }, id) =>
      this.#on(id, (pull) => {
        if (Number(query.get('version') ?? -1) !== pull.version) return outOfDate();
        Object.assign(pull, { state: 'closed', version: pull.version + 1 });
        return { status: 200, json: shown(pull) };
      }),
    ),
  ];

  #list(query: URLSearchParams): Reply {
    const state = query.get('state') ?? 'OPEN';
    const at = query.get('at');
    const isOutgoing = query.get('direction') === 'OUTGOING';
    const found = this.forge.pulls
      .filter((pull) => state === 'ALL' || state === STATES[pull.state])
      .filter((pull) => at === null || at === `refs/heads/${isOutgoing ? pull.source : pull.target}`)
      .filter((pull) => !isOutgoing || !pull.isFork);
    if (query.get('order') !== 'OLDEST') found.reverse();
    const start = Number(query.get('start') ?? 0);
    const end = start + Number(query.get('limit') ?? 25);
    const isLastPage = end >= found.length;
    const values = found.slice(start, end).map(shown);
    return { status: 200, json: { values, isLastPage, start, nextPageStart: isLastPage ? null : end } };
  }

  #create(request: HostRequest): Reply {
    const [title, body] = [text(request, 'title'), text(request, 'description') ?? ''];
    const [source, target] = ['fromRef', 'toRef'].map((side) => branchIn(request.json[side]));
    if (title === undefined || source === undefined || target === undefined) {
      return error(400, 'title may not be null.', null, 'title');
    }
    const missing = [source, target].find((branch) => !this.forge.branches.has(branch));
    if (missing !== undefined) {
      return error(
        404,
        `Repository "app" does not contain a branch named "${missing}"`,
        'com.atlassian.bitbucket.commit.NoSuchCommitException',
      );
    }
    const existing = this.forge.openBetween(source, target);
    if (existing !== undefined) {
      const words = 'Only one pull request may be open for a given source and target branch';
      const existingPullRequest = shown(existing);
      return error(409, words, `${PULL}DuplicatePullRequestException`, null, { existingPullRequest });
    }
    return (
      tooLong(title, body) ?? { status: 201, json: shown(this.forge.open(source, target, { title, body })) }
    );
  }

  #edit(pull: FakePull, request: HostRequest): Reply {
    if (request.json['version'] !== pull.version) return outOfDate();
    if (pull.state !== 'open') {
      return error(409, 'This pull request has been closed.', `${PULL}IllegalPullRequestStateException`);
    }
    const [title, body] = [text(request, 'title') ?? pull.title, text(request, 'description') ?? ''];
    const names = list(request, 'reviewers').map((reviewer) => (reviewer as Reviewer).user.name);
    const unknown = names.filter((name) => !this.forge.users.includes(name));
    if (unknown.length > 0) {
      const words = 'Errors encountered while adding some reviewers to this pull request.';
      const reviewerErrors = unknown.map((context) => ({ context, message: `${context} is not a user.` }));
      return error(409, words, `${PULL}InvalidPullRequestReviewersException`, 'reviewers', {
        reviewerErrors,
      });
    }
    const refused = tooLong(title, body);
    if (refused !== undefined) return refused;
    Object.assign(pull, { title, body, assignees: names, version: pull.version + 1 });
    return { status: 200, json: shown(pull) };
  }

  #on(id: string | undefined, act: (pull: FakePull) => Reply): Reply {
    const pull = this.forge.find(Number(id));
    return pull === undefined ? this.notFound : act(pull);
  }
}

interface Reviewer {
  readonly user: { readonly name: string };
}

const STATES = { open: 'OPEN', closed: 'DECLINED', merged: 'MERGED' } as const;

function branchIn(side: unknown): string | undefined {
  const { id = '', repository } = (side ?? {}) as {
    id?: string;
    repository?: { slug: string; project: { key: string } };
  };
  const isHere = repository === undefined || (repository.slug === 'app' && repository.project.key === 'ACME');
  return isHere && id.startsWith('refs/heads/') ? id.slice('refs/heads/'.length) : undefined;
}

function route(method: string, rest: string, reply: Route['reply']): Route {
  // What is no JSON is taken for a form that another site has a browser send.
  const guarded: Route['reply'] = (request, ...groups) =>
    method === 'GET' || request.headers['content-type'] === 'application/json'
      ? reply(request, ...groups)
      : error(403, 'XSRF check failed', null);
  return { method, pattern: new RegExp(`^${PULLS}${rest}$`), reply: guarded };
}

function outOfDate(): Reply {
  const words = 'You are attempting to modify a pull request based on out-of-date information.';
  return error(409, words, `${PULL}PullRequestOutOfDateException`);
}

function tooLong(title: string, description: string): Reply | undefined {
  const over = (context: string, limit: number): Reply =>
    error(400, `Please enter a ${context} of at most ${limit} characters.`, null, context);
  if (title.length > 255) return over('title', 255);
  return description.length > 32_768 ? over('description', 32_768) : undefined;
}

function error(
  status: number,
  message: string,
  exceptionName: string | null,
  context: string | null = null,
  more: object = {},
): Reply {
  return { status, json: { errors: [{ context, message, exceptionName, ...more }] } };
}

function shown(pull: FakePull): object {
  const side = (branch: string, key: string): object => ({
    id: `refs/heads/${branch}`,
    displayId: branch,
    repository: { slug: 'app', project: { key } },
  });
  return {
    id: pull.number,
    version: pull.version,
    links: {
      self: [{ href: `https://bitbucket.example/projects/ACME/repos/app/pull-requests/${pull.number}` }],
    },
    state: STATES[pull.state],
    open: pull.state === 'open',
    title: pull.title,
    ...(pull.body !== '' && { description: pull.body }),
    reviewers: pull.assignees.map((name) => ({ user: { name, slug: name }, role: 'REVIEWER' })),
    fromRef: side(pull.source, pull.isFork ? '~MALLORY' : 'ACME'),
    toRef: side(pull.target, 'ACME'),
  };
}
