import type { FakePull } from './forge.ts';
import { FakeHost, type HostRequest, list, numberedPage, type Reply, type Route, text } from './server.ts';

const REPOSITORY = '/api/v1/repos/acme/app';

/** Gitea's API as its Swagger description and its source have it. Labels go by ids, assignees are replaced, an edit is a 201. */
export class FakeGitea extends FakeHost {
  readonly provider = 'Gitea';
  readonly basePath = '/api/v1';
  protected readonly clonePath = '/acme/app.git';
  readonly credential = { token: 'f00d' };
  /** `api.MAX_RESPONSE_ITEMS` of its settings. */
  maxItems = 50;
  /** Of the repository's owner. Their ids go on after the repository's. */
  readonly organisationLabels: string[] = [];
  protected readonly authorizations = [
    'token f00d',
    'Bearer f00d',
    `Basic ${Buffer.from('ann:f00d').toString('base64')}`,
  ];
  protected readonly unauthorized = {
    status: 401,
    json: { message: 'token is required', url: 'https://gitea.example/api/swagger' },
  };
  protected readonly notFound = {
    status: 404,
    json: { errors: [], message: 'not found', url: 'https://gitea.example/api/swagger' },
  };
  protected readonly routes: readonly Route[] = [
    route('GET', '/pulls', (request) => this.#page(request, this.#listed(request.query))),
    route('POST', '/pulls', (request) => this.#create(request)),
    route('GET', '/pulls/(\\d+)', (_, number) => this.#on(number, (pull) => this.#shown(200, pull))),
    route('PATCH', '/pulls/(\\d+)', (request, number) =>
      this.#on(number, (pull) => this.#edit(pull, request)),
    ),
    route('GET', '/labels', (request) =>
      this.#page(
        request,
        this.forge.labels.map((name) => this.#label(name)),
      ),
    ),
    route('POST', '/labels', (request) => this.#makeLabel(request)),
    route('POST', '/issues/(\\d+)/labels', (request, number) =>
      this.#on(number, (pull) => {
        const ids = list(request, 'labels');
        const names = [...this.forge.labels, ...this.organisationLabels];
        const added = names.filter((name) => ids.includes(this.#idOf(name)) && !pull.labels.includes(name));
        pull.labels.push(...added);
        return { status: 200, json: pull.labels.map((name) => this.#label(name)) };
      }),
    ),
    {
      method: 'GET',
      pattern: /^\/api\/v1\/orgs\/acme\/labels$/,
      reply: (request) =>
        this.#page(
          request,
          this.organisationLabels.map((name) => this.#label(name)),
        ),
    },
    route('GET', '/assignees', () => ({
      status: 200,
      json: this.forge.users.map((login) => ({ id: 1, login })),
    })),
    route('POST', '/issues/(\\d+)/comments', (request, number) =>
      this.#on(number, (pull) => {
        pull.comments.push(text(request, 'body') ?? '');
        return { status: 201, json: { id: pull.comments.length, body: text(request, 'body') } };
      }),
    ),
  ];

  #page(request: HostRequest, items: readonly unknown[]): Reply {
    return numberedPage(request, items, 'limit', this.maxItems);
  }

  #listed(query: URLSearchParams): unknown[] {
    const state = query.get('state') ?? 'open';
    return this.forge.pulls
      .filter((pull) => state === 'all' || (state === 'open') === (pull.state === 'open'))
      .filter((pull) => !query.has('base_branch') || query.get('base_branch') === pull.target)
      .toReversed()
      .map((pull) => this.#shown(200, pull).json);
  }

  #create(request: HostRequest): Reply {
    const { head, base, title, body = '' } = request.json as Record<string, string | undefined>;
    if (!head || !base || !title) return error(422, '[Title]: Required');
    if (head === base)
      return error(422, 'Invalid PullRequest: There are no changes between the head and the base');
    if (!this.forge.branches.has(head) || !this.forge.branches.has(base)) return this.notFound;
    const unknown = this.#unknownIn(request);
    if (unknown !== undefined) return error(422, `Assignee does not exist: [name: ${unknown}]`);
    const existing = this.forge.openBetween(head, base);
    if (existing !== undefined) {
      const { number } = existing;
      return error(409, `pull request already exists for these targets [id: ${number}, issue_id: ${number}]`);
    }
    return this.#shown(201, this.forge.open(head, base, { title: title.slice(0, 255), body }));
  }

  #edit(pull: FakePull, request: HostRequest): Reply {
    const unknown = this.#unknownIn(request);
    if (unknown !== undefined) return error(422, `Assignee does not exist: [name: ${unknown}]`);
    if ('assignees' in request.json) pull.assignees = list(request, 'assignees').map(String);
    pull.title = text(request, 'title') ?? pull.title;
    pull.body = text(request, 'body') ?? pull.body;
    if ('state' in request.json) {
      if (pull.state === 'merged') {
        return error(412, 'cannot change state of this pull request, it was already merged');
      }
      pull.state = text(request, 'state') === 'closed' ? 'closed' : 'open';
    }
    return this.#shown(201, pull);
  }

  #unknownIn(request: HostRequest): string | undefined {
    const logins = list(request, 'assignees').map(String);
    return logins.find((login) => !this.forge.users.includes(login));
  }

  #makeLabel(request: HostRequest): Reply {
    const [name, color] = [text(request, 'name'), text(request, 'color')];
    if (name === undefined || !/^#?[0-9a-f]{6}$/i.test(color ?? '')) return error(422, '[Name]: Required');
    this.forge.labels.push(name);
    return { status: 201, json: this.#label(name) };
  }

  #label(name: string): object {
    return { id: this.#idOf(name), name, color: 'ededed' };
  }

  #idOf(name: string): number {
    const at = this.organisationLabels.indexOf(name);
    return at >= 0 ? 1000 + at : this.forge.labels.indexOf(name) + 1;
  }

  #on(number: string | undefined, act: (pull: FakePull) => Reply): Reply {
    const pull = this.forge.find(Number(number));
    return pull === undefined ? this.notFound : act(pull);
  }

  #shown(status: number, pull: FakePull): Reply {
    const isThere = !pull.isFork && this.forge.branches.has(pull.source);
    return {
      status,
      json: {
        number: pull.number,
        html_url: `https://gitea.example/acme/app/pulls/${pull.number}`,
        state: pull.state === 'open' ? 'open' : 'closed',
        merged: pull.state === 'merged',
        title: pull.title,
        body: pull.body,
        labels: pull.labels.map((name) => this.#label(name)),
        assignees: pull.assignees.length === 0 ? null : pull.assignees.map((login) => ({ id: 1, login })),
        head: {
          label: pull.source,
          ref: isThere ? pull.source : `refs/pull/${pull.number}/head`,
          repo_id: pull.isFork ? 2 : 1,
        },
        base: { label: pull.target, ref: pull.target, repo_id: 1 },
      },
    };
  }
}

function route(method: string, rest: string, reply: Route['reply']): Route {
  return { method, pattern: new RegExp(`^${REPOSITORY}${rest}$`), reply };
}

function error(status: number, message: string): Reply {
  return { status, json: { message, url: 'https://gitea.example/api/swagger' } };
}
