import type { FakePull } from './forge.ts';
import { FakeHost, type HostRequest, list, numberedPage, type Reply, type Route, text } from './server.ts';

const REPOSITORY = '/api/v3/repos/acme/app';

/** GitHub's REST API, version 2022-11-28, as its OpenAPI description has it. */
export class FakeGitHub extends FakeHost {
  readonly provider = 'GitHub';
  readonly basePath = '/api/v3';
  protected readonly clonePath = '/acme/app.git';
  readonly credential = { token: 'ghp_secret' };
  protected readonly authorizations = ['Bearer ghp_secret'];
  protected readonly unauthorized = { status: 401, json: { message: 'Bad credentials', status: '401' } };
  protected readonly notFound = { status: 404, json: { message: 'Not Found', status: '404' } };
  protected readonly routes: readonly Route[] = [
    route('GET', '/pulls', (request) => numberedPage(request, this.#listed(request.query), 'per_page', 100)),
    route('POST', '/pulls', (request) => this.#create(request)),
    route('GET', '/pulls/(\\d+)', (_, number) =>
      this.#on(number, (pull) => ({ status: 200, json: shown(pull) })),
    ),
    route('PATCH', '/pulls/(\\d+)', (request, number) => this.#on(number, (pull) => edit(pull, request))),
    route('POST', '/issues/(\\d+)/labels', (request, number) =>
      this.#on(number, (pull) => {
        this.forge.label(pull, list(request, 'labels').map(String));
        return { status: 200, json: shown(pull).labels };
      }),
    ),
    route('GET', '/assignees/([^/]+)', (_, login) =>
      this.forge.users.includes(login ?? '') ? { status: 204 } : this.notFound,
    ),
    route('POST', '/issues/(\\d+)/assignees', (request, number) =>
      this.#on(number, (pull) => {
        // Who cannot be assigned is left out in silence.
        const added = list(request, 'assignees')
          .map(String)
          .filter((login) => this.forge.users.includes(login));
        pull.assignees = [...new Set([...pull.assignees, ...added])];
        return { status: 201, json: shown(pull) };
      }),
    ),
    route('POST', '/issues/(\\d+)/comments', (request, number) =>
      this.#on(number, (pull) => {
        pull.comments.push(text(request, 'body') ?? '');
        return { status: 201, json: { id: pull.comments.length, body: text(request, 'body') } };
      }),
    ),
  ];

  #listed(query: URLSearchParams): unknown[] {
    const state = query.get('state') ?? 'open';
    const [owner, ...source] = (query.get('head') ?? '').split(':');
    return this.forge.pulls
      .filter((pull) => state === 'all' || (state === 'open') === (pull.state === 'open'))
      .filter((pull) => !query.has('head') || (owner === ownerOf(pull) && source.join(':') === pull.source))
      .filter((pull) => !query.has('base') || query.get('base') === pull.target)
      .toReversed()
      .map(shown);
  }

  #create(request: HostRequest): Reply {
    const { title, head, base, body = '' } = request.json as Record<string, string | undefined>;
    if (title === undefined || head === undefined || base === undefined) {
      return invalid({ code: 'missing_field', field: 'title', resource: 'Issue' });
    }
    if (!this.forge.branches.has(base))
      return invalid({ code: 'invalid', field: 'base', resource: 'PullRequest' });
    if (this.forge.openBetween(head, base) !== undefined) {
      const message = `A pull request already exists for acme:${head}.`;
      return invalid({ code: 'custom', message, resource: 'PullRequest' });
    }
    return tooLong(title, body) ?? { status: 201, json: shown(this.forge.open(head, base, { title, body })) };
  }

  #on(number: string | undefined, act: (pull: FakePull) => Reply): Reply {
    const pull = this.forge.find(Number(number));
    return pull === undefined ? this.notFound : act(pull);
  }
}

function route(method: string, rest: string, reply: Route['reply']): Route {
  return { method, pattern: new RegExp(`^${REPOSITORY}${rest}$`), reply };
}

function edit(pull: FakePull, request: HostRequest): Reply {
  const title = text(request, 'title') ?? pull.title;
  const body = text(request, 'body') ?? pull.body;
  const refused = tooLong(title, body);
  if (refused !== undefined) return refused;
  Object.assign(pull, { title, body });
  if (text(request, 'state') === 'closed' && pull.state === 'open') pull.state = 'closed';
  return { status: 200, json: shown(pull) };
}

function tooLong(title: string, body: string): Reply | undefined {
  const over = (field: string, limit: number): Reply =>
    invalid({
      code: 'custom',
      field,
      message: `${field} is too long (maximum is ${limit} characters)`,
      resource: 'Issue',
    });
  if (title.length > 256) return over('title', 256);
  return body.length > 65_536 ? over('body', 65_536) : undefined;
}

function invalid(error: object): Reply {
  return { status: 422, json: { message: 'Validation Failed', errors: [error], status: '422' } };
}

function ownerOf({ isFork }: FakePull): string {
  return isFork ? 'mallory' : 'acme';
}

function shown(pull: FakePull) {
  const owner = ownerOf(pull);
  return {
    number: pull.number,
    html_url: `https://github.example/acme/app/pull/${pull.number}`,
    state: pull.state === 'open' ? 'open' : 'closed',
    merged_at: pull.state === 'merged' ? '2026-01-02T03:04:05Z' : null,
    title: pull.title,
    body: pull.body === '' ? null : pull.body,
    labels: pull.labels.map((name) => ({ id: 1, name, color: 'ededed' })),
    assignees: pull.assignees.map((login) => ({ login, id: 1 })),
    head: {
      label: `${owner}:${pull.source}`,
      ref: pull.source,
      repo: { id: pull.isFork ? 2 : 1, full_name: `${owner}/app` },
    },
    base: { label: `acme:${pull.target}`, ref: pull.target, repo: { id: 1, full_name: 'acme/app' } },
  };
}
