import type { FakePull } from './forge.ts';
import { FakeHost, type HostRequest, list, numberedPage, type Reply, type Route, text } from './server.ts';

const PROJECT = '/api/v4/projects/group%2Fsub%2Fapp/merge_requests';

/** GitLab's REST API v4 as its documentation has it, for a project in a subgroup. */
export class FakeGitLab extends FakeHost {
  readonly provider = 'GitLab';
  readonly basePath = '/api/v4';
  protected readonly clonePath = '/group/sub/app.git';
  readonly credential = { token: 'glpat-secret' };
  /** GitLab Free keeps the first of several assignees. */
  tier: 'Free' | 'Premium' = 'Premium';
  protected readonly authorizations = ['Bearer glpat-secret'];
  protected readonly unauthorized = { status: 401, json: { message: '401 Unauthorized' } };
  protected readonly notFound = { status: 404, json: { message: '404 Not found' } };
  protected readonly routes: readonly Route[] = [
    route('GET', '', (request) => numberedPage(request, this.#listed(request.query), 'per_page', 100)),
    route('POST', '', (request) => this.#create(request)),
    route('GET', '/(\\d+)', (_, iid) => this.#on(iid, (pull) => ({ status: 200, json: this.#shown(pull) }))),
    route('PUT', '/(\\d+)', (request, iid) => this.#on(iid, (pull) => this.#edit(pull, request))),
    route('POST', '/(\\d+)/notes', (request, iid) =>
      this.#on(iid, (pull) => {
        const body = text(request, 'body');
        if (body === undefined) return { status: 400, json: { error: 'body is missing' } };
        obey(pull, body);
        pull.comments.push(body);
        return { status: 201, json: { id: pull.comments.length, body } };
      }),
    ),
    {
      method: 'GET',
      pattern: /^\/api\/v4\/users$/,
      reply: ({ query }) => ({
        status: 200,
        json: this.forge.users
          .map((username, i) => ({ id: i + 1, username }))
          .filter(({ username }) => username === query.get('username')?.toLowerCase()),
      }),
    },
  ];

  #listed(query: URLSearchParams): unknown[] {
    const state = query.get('state') ?? 'all';
    return this.forge.pulls
      .filter((pull) => state === 'all' || state === STATES[pull.state])
      .filter((pull) => !query.has('source_branch') || query.get('source_branch') === pull.source)
      .filter((pull) => !query.has('target_branch') || query.get('target_branch') === pull.target)
      .toReversed()
      .map((pull) => this.#shown(pull));
  }

  #create(request: HostRequest): Reply {
    const [title, source, target] = ['title', 'source_branch', 'target_branch'].map((name) =>
      text(request, name),
    );
    if (title === undefined || source === undefined || target === undefined) {
      return {
        status: 400,
        json: { error: 'title is missing, source_branch is missing, target_branch is missing' },
      };
    }
    const existing = this.forge.openBetween(source, target);
    if (existing !== undefined) {
      const words = `Another open merge request already exists for this source branch: !${existing.number}`;
      return { status: 409, json: { message: [words] } };
    }
    if (!this.forge.branches.has(target)) {
      return { status: 400, json: { message: { target_branch: ['does not exist'] } } };
    }
    const body = text(request, 'description') ?? '';
    const refused = tooLong(title, body);
    if (refused !== undefined) return refused;
    const pull = this.forge.open(source, target, { title, body });
    obey(pull, body);
    return { status: 201, json: this.#shown(pull) };
  }

  #edit(pull: FakePull, request: HostRequest): Reply {
    const title = text(request, 'title') ?? pull.title;
    const body = text(request, 'description') ?? pull.body;
    const refused = tooLong(title, body);
    if (refused !== undefined) return refused;
    Object.assign(pull, { title, body });
    obey(pull, body);
    if (text(request, 'state_event') === 'close' && pull.state === 'open') pull.state = 'closed';
    this.forge.label(pull, text(request, 'add_labels')?.split(',') ?? []);
    if ('assignee_ids' in request.json) this.#assign(pull, list(request, 'assignee_ids').map(Number));
    return { status: 200, json: this.#shown(pull) };
  }

  #assign(pull: FakePull, ids: readonly number[]): void {
    const names = ids.map((id) => this.forge.users[id - 1]).filter((name) => name !== undefined);
    pull.assignees = this.tier === 'Free' ? names.slice(0, 1) : names;
  }

  #on(iid: string | undefined, act: (pull: FakePull) => Reply): Reply {
    const pull = this.forge.find(Number(iid));
    return pull === undefined ? this.notFound : act(pull);
  }

  /** A merge request as the API shows it. */
  shown(number: number): object {
    const pull = this.forge.find(number);
    return pull === undefined ? {} : this.#shown(pull);
  }

  #shown(pull: FakePull): object {
    return {
      id: 1000 + pull.number,
      iid: pull.number,
      project_id: 7,
      web_url: `https://gitlab.example/group/sub/app/-/merge_requests/${pull.number}`,
      state: STATES[pull.state],
      title: pull.title,
      description: pull.body === '' ? null : pull.body,
      labels: pull.labels,
      assignees: pull.assignees.map((username) => ({ id: this.forge.users.indexOf(username) + 1, username })),
      source_branch: pull.source,
      target_branch: pull.target,
      source_project_id: pull.isFork ? 8 : 7,
      target_project_id: 7,
    };
  }
}

const STATES = { open: 'opened', closed: 'closed', merged: 'merged' } as const;

/** Does what a line of a text tells it, by one of the quick actions. */
function obey(pull: FakePull, words: string): void {
  if (/^\/merge *$/im.test(words)) pull.state = 'merged';
}

function route(method: string, rest: string, reply: Route['reply']): Route {
  return { method, pattern: new RegExp(`^${PROJECT}${rest}$`), reply };
}

function tooLong(title: string, description: string): Reply | undefined {
  const over = (field: string, limit: number): Reply => ({
    status: 400,
    json: { message: { [field]: [`is too long (maximum is ${limit} characters)`] } },
  });
  if (title.length > 255) return over('title', 255);
  return description.length > 1_048_576 ? over('description', 1_048_576) : undefined;
}
