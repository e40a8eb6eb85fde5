import { request } from 'undici';
import { CodedError } from '../../core/errors.ts';
import { waitFor } from '../wait.ts';

/** Gitea's API refused what a person asked; the message has its answer. */
export class GiteaError extends CodedError<'Refused'> {
  readonly status: number;

  constructor(status: number, message: string) {
    super('Refused', message);
    this.status = status;
  }
}

/** A pull request, as Gitea's API gives it; only what tests look at. */
export interface GiteaPull {
  readonly number: number;
  readonly html_url: string;
  readonly title: string;
  readonly body: string;
  readonly state: 'open' | 'closed';
  readonly merged: boolean;
  /** False while Gitea has not tried the merge yet. */
  readonly mergeable: boolean;
  readonly labels: readonly { readonly name: string }[];
  readonly assignees: readonly { readonly login: string }[] | null;
}

/** Somebody with an account and a token that may all that the account may. Repositories are `owner/name`. */
export class GiteaPerson {
  readonly name: string;
  readonly token: string;
  readonly #api: string;

  constructor(url: string, name: string, token: string) {
    this.#api = `${url}/api/v1`;
    this.name = name;
    this.token = token;
  }

  /**
   * Asks the API for something; `path` begins with a slash.
   *
   * @throws {GiteaError}
   */
  async call<T>(method: 'GET' | 'POST' | 'PUT' | 'PATCH', path: string, json?: object): Promise<T> {
    const { statusCode, body } = await request(`${this.#api}${path}`, {
      method,
      headers: { authorization: `token ${this.token}`, 'content-type': 'application/json' },
      ...(json !== undefined && { body: JSON.stringify(json) }),
      reset: true,
    });
    const text = await body.text();
    if (statusCode >= 300) throw new GiteaError(statusCode, `${method} ${path}: ${statusCode} ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  openPull(
    repository: string,
    branches: { readonly source: string; readonly target: string },
    title: string,
  ): Promise<GiteaPull> {
    const { source: head, target: base } = branches;
    return this.call('POST', `/repos/${repository}/pulls`, { head, base, title });
  }

  /** Makes a copy of somebody's repository, of the same name, that is this person's own. */
  async fork(repository: string): Promise<void> {
    await this.call('POST', `/repos/${repository}/forks`, {});
  }

  pull(repository: string, number: number): Promise<GiteaPull> {
    return this.call('GET', `/repos/${repository}/pulls/${number}`);
  }

  /** Merges it by a merge commit, as soon as Gitea knows that it can be. */
  async merge(repository: string, number: number): Promise<void> {
    await waitFor(`pull request ${number} to be mergeable`, async () =>
      (await this.pull(repository, number)).mergeable ? true : undefined,
    );
    await this.call('POST', `/repos/${repository}/pulls/${number}/merge`, { Do: 'merge' });
  }

  async close(repository: string, number: number): Promise<void> {
    await this.call('PATCH', `/repos/${repository}/pulls/${number}`, { state: 'closed' });
  }

  async comment(repository: string, number: number, body: string): Promise<void> {
    await this.call('POST', `/repos/${repository}/issues/${number}/comments`, { body });
  }

  /** The texts of a request's comments, oldest first. */
  async comments(repository: string, number: number): Promise<string[]> {
    const found = await this.call<{ body: string }[]>(
      'GET',
      `/repos/${repository}/issues/${number}/comments`,
    );
    return found.map(({ body }) => body);
  }

  /** Adds to who is assigned. */
  async assign(repository: string, number: number, login: string): Promise<void> {
    const { assignees } = await this.pull(repository, number);
    const all = [...(assignees ?? []).map((user) => user.login), login];
    await this.call('PATCH', `/repos/${repository}/issues/${number}`, { assignees: all });
  }

  /** Makes a label in a repository, and gives its id. */
  async createLabel(repository: string, name: string): Promise<number> {
    const label = { name, color: '#0055aa' };
    return (await this.call<{ id: number }>('POST', `/repos/${repository}/labels`, label)).id;
  }

  /** Puts a label that the repository has on a request. */
  async label(repository: string, number: number, id: number): Promise<void> {
    await this.call('POST', `/repos/${repository}/issues/${number}/labels`, { labels: [id] });
  }

  /** From now on nobody pushes to this branch, whoever it is. */
  async protectBranch(repository: string, branch: string): Promise<void> {
    const rule = { rule_name: branch, enable_push: false };
    await this.call('POST', `/repos/${repository}/branch_protections`, rule);
  }
}
