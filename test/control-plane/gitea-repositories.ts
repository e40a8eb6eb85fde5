import { join } from 'node:path';
import { commitFiles, git } from './git-commands.ts';
import type { GiteaPerson } from './gitea-person.ts';

type Files = Readonly<Record<string, string | null>>;

/** The repositories of one person, who commits to them as everybody does: by a push. */
export class GiteaRepositories {
  readonly #url: string;
  readonly #owner: GiteaPerson;
  readonly #folder: string;

  /** @param folder an empty one, for clones */
  constructor(url: string, owner: GiteaPerson, folder: string) {
    this.#url = url;
    this.#owner = owner;
    this.#folder = folder;
  }

  /** Makes a repository whose branch holds the files, and to which the writers may push. Gives its path, `owner/name`. */
  async create(name: string, files: Files, branch: string, writers: readonly GiteaPerson[]): Promise<string> {
    const path = `${this.#owner.name}/${name}`;
    await this.#owner.call('POST', '/user/repos', { name, default_branch: branch });
    for (const { name: writer } of writers) {
      await this.#owner.call('PUT', `/repos/${path}/collaborators/${writer}`, { permission: 'write' });
    }
    await git(['init', '--quiet', '--bare', this.#clone(name)]);
    await this.#push(name, files, branch, { message: 'Initial commit', onTop: false });
    return path;
  }

  /** Commits to a branch, which is made from the default branch when it is new; `null` deletes a file. Gives the id. */
  async commit(name: string, files: Files, branch: string, from: string): Promise<string> {
    await this.#git(name, 'fetch', '--quiet', this.#remote(name), `+refs/heads/${from}:refs/heads/${branch}`);
    return this.#push(name, files, branch, { message: 'Another change', onTop: true });
  }

  /** The id of a branch's newest commit; undefined when there is no such branch. */
  async head(name: string, branch: string): Promise<string | undefined> {
    const found = await this.#git(name, 'ls-remote', this.#remote(name), `refs/heads/${branch}`);
    return found === '' ? undefined : found.split('\t')[0];
  }

  async readFile(name: string, path: string, branch: string): Promise<string> {
    await this.#git(name, 'fetch', '--quiet', this.#remote(name), `refs/heads/${branch}`);
    return this.#git(name, 'cat-file', 'blob', `FETCH_HEAD:${path}`);
  }

  async #push(
    name: string,
    files: Files,
    branch: string,
    how: { message: string; onTop: boolean },
  ): Promise<string> {
    const author = `${this.#owner.name} <${this.#owner.name}@example.com>`;
    const id = await commitFiles(this.#clone(name), files, { branch, author, ...how });
    await this.#git(name, 'push', '--quiet', this.#remote(name), `${id}:refs/heads/${branch}`);
    return id;
  }

  async #git(name: string, ...args: string[]): Promise<string> {
    return (await git(args, { cwd: this.#clone(name) })).stdout;
  }

  #clone(name: string): string {
    return join(this.#folder, `${name}.git`);
  }

  #remote(name: string): string {
    return withCredential(`${this.#url}/${this.#owner.name}/${name}.git`, this.#owner);
  }
}

/** A repository's URL with a person's name and token in it, for git on the command line. */
export function withCredential(url: string, { name, token }: GiteaPerson): string {
  return url.replace('://', `://${name}:${token}@`);
}
