import type { FakePull } from './forge.ts';
import { FakeHost, type HostRequest, type Reply, type Route, text } from './server.ts';

const PULLS = '/2.0/repositories/acme/app/pullrequests';

/** The accounts' UUIDs by their names, as Bitbucket Cloud takes no names. */
export function uuidOf(name: string): string {
  return `{${Buffer.from(name.padEnd(16, '.'))
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')}}`;
}

/** Bitbucket Cloud's API 2.0 as its OpenAPI description has it. Its pages go on by `next`, its reviewers are replaced. */
export class FakeBitbucketCloud extends FakeHost {
  readonly provider = 'Bitbucket';
  readonly basePath = '/2.0';
  protected readonly clonePath = '/acme/app.git';
  readonly credential = { token: 'ATCTT-secret' };
  // Only the name tells Bitbucket Cloud from a Data Center.
  override get repositoryUrl(): string {
    return `https://bitbucket.org${this.clonePath}`;
  }

  protected readonly authorizations = [
    'Bearer ATCTT-secret',
    `Basic ${Buffer.from('ann@example.com:ATATT-secret').toString('base64')}`,
  ];
  protected readonly unauthorized = error(
    401,
    'Token is invalid, expired, or not supported for this endpoint.',
  );
  protected readonly notFound = error(404, 'Repository acme/app not found');
  protected readonly routes: readonly Route[] = [
    route('GET', '', (request) => this.#list(request)),
    route('POST', '', (request) => this.#create(request)),
    route('GET', '/(\\d+)', (_, id) => this.#on(id, (pull) => ({ status: 200, json: shown(pull) }))),
    route('PUT', '/(\\d+)', (request, id) => this.#on(id, (pull) => this.#edit(pull, request))),
    route('POST', '/(\\d+)/comments', (request, id) =>
      this.#on(id, (pull) => {
        const { raw } = request.json['content'] as { raw?: string };
        if (raw === undefined) return error(400, 'content.raw is required');
        pull.comments.push(raw);
        return { status: 201, json: { id: pull.comments.length, content: { raw } } };
      }),
    ),
    route('POST', '/(\\d+)/decline', (_, id) =>
      this.#on(id, (pull) => {
        if (pull.state !== 'open') return error(400, 'This pull request is already closed.');
        pull.state = 'closed';
        return { status: 200, json: shown(pull) };
      }),
    ),
  ];

  #list({ query }: HostRequest): Reply {
    const size = Number(query.get('pagelen') ?? 10);
    if (size > 50) return error(400, 'Invalid pagelen');
    const wanted = conditions(query.get('q') ?? '');
    const states = query.getAll('state');
    const found = this.forge.pulls
      .filter((pull) => (states.length === 0 ? ['OPEN'] : states).includes(STATES[pull.state]))
      .filter((pull) => (wanted['source.branch.name'] ?? pull.source) === pull.source)
      .filter((pull) => (wanted['destination.branch.name'] ?? pull.target) === pull.target);
    if (query.get('sort') === '-created_on') found.reverse();
    const page = Number(query.get('page') ?? 1);
    const hasMore = page * size < found.length;
    const values = found.slice((page - 1) * size, page * size).map(shown);
    return {
      status: 200,
      json: {
        pagelen: size,
        page,
        values,
        ...(hasMore && { next: `https://elsewhere.example${PULLS}?page=x` }),
      },
    };
  }

  /** A second request between the same branches becomes the first one's new text. */
  #create({ json }: HostRequest): Reply {
    const { title, description = '', source, destination } = json as unknown as Created;
    if (title === undefined) return fields({ title: ['This field is required.'] });
    if (title.length > 255) return fields({ title: ['Ensure this value has at most 255 characters'] });
    if (!this.forge.branches.has(destination.branch.name))
      return fields({ destination: ['branch not found: x'] });
    const existing = this.forge.openBetween(source.branch.name, destination.branch.name);
    if (existing !== undefined) Object.assign(existing, { title, body: description });
    const pull =
      existing ?? this.forge.open(source.branch.name, destination.branch.name, { title, body: description });
    return { status: 201, json: shown(pull) };
  }

  #edit(pull: FakePull, request: HostRequest): Reply {
    if (pull.state !== 'open') return error(400, 'Only open pull requests can be mutated');
    const reviewers = (request.json['reviewers'] ?? []) as { uuid?: string; account_id?: string }[];
    const names = reviewers.map(({ uuid }) => this.forge.users.find((name) => uuidOf(name) === uuid));
    if (names.includes(undefined)) return fields({ reviewers: ['Malformed reviewers list'] });
    pull.assignees = names.filter((name) => name !== undefined);
    pull.title = text(request, 'title') ?? pull.title;
    pull.body = text(request, 'description') ?? pull.body;
    return { status: 200, json: shown(pull) };
  }

  #on(id: string | undefined, act: (pull: FakePull) => Reply): Reply {
    const pull = this.forge.find(Number(id));
    return pull === undefined ? this.notFound : act(pull);
  }
}

interface Created {
  readonly title?: string;
  readonly description?: string;
  readonly source: { readonly branch: { readonly name: string } };
  readonly destination: { readonly branch: { readonly name: string } };
}

const STATES = { open: 'OPEN', closed: 'DECLINED', merged: 'MERGED' } as const;

/** Reads the part of Bitbucket's query language that is `field = "text"` joined by AND. */
function conditions(q: string): Record<string, string> {
  const found = q.matchAll(/([a-z._]+) = "((?:[^"\\]|\\.)*)"(?: AND |$)/g);
  return Object.fromEntries(
    [...found].map(([, field = '', value = '']) => [field, value.replaceAll('\\"', '"')]),
  );
}

function route(method: string, rest: string, reply: Route['reply']): Route {
  return { method, pattern: new RegExp(`^${PULLS}${rest}$`), reply };
}

function error(status: number, message: string): Reply {
  return { status, json: { type: 'error', error: { message } } };
}

function fields(byName: Record<string, string[]>): Reply {
  return { status: 400, json: { type: 'error', error: { message: 'Bad request', fields: byName } } };
}

function shown(pull: FakePull): object {
  return {
    type: 'pullrequest',
    id: pull.number,
    links: { html: { href: `https://bitbucket.example/acme/app/pull-requests/${pull.number}` } },
    state: STATES[pull.state],
    title: pull.title,
    description: pull.body,
    reviewers: pull.assignees.map((name) => ({ type: 'user', nickname: name, uuid: uuidOf(name) })),
    source: { branch: { name: pull.source }, repository: pull.isFork ? null : { full_name: 'acme/app' } },
    destination: { branch: { name: pull.target }, repository: { full_name: 'acme/app' } },
  };
}
