import { join } from 'node:path';
import { commitFiles, git } from './git-commands.ts';
import type { GiteaPerson } from './gitea-person.ts';

type Files = Readonly<Record<string, string | null>>;

/** What a new repository holds. */
export interface InitialContent {
  /** Its default branch. */
  readonly branch: string;
  readonly files: Files;
  /** By name, branches that go on from it, with what they change. */
  readonly others: Readonly<Record<string, Files>>;
}

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

  /** Makes a repository whose branches hold the files, and to which the writers may push. Gives its path, `owner/name`. */
  async create(name: string, content: InitialContent, writers: readonly GiteaPerson[]): Promise<string> {
    const { branch, files, others } = content;
    const path = `${this.#owner.name}/${name}`;
    await this.#owner.call('POST', '/user/repos', { name, default_branch: branch });
    for (const { name: writer } of writers) {
      await this.#owner.call('PUT', `/repos/${path}/collaborators/${writer}`, { permission: 'write' });
    }
    await git(['init', '--quiet', '--bare', this.#clone(name)]);
    await this.#commit(name, files, branch, false);
    // Alone, since to Gitea a repository whose first push was of several branches was still empty after it.
    await this.#git(name, 'push', '--quiet', this.#remote(name), branch);
    if (Object.keys(others).length > 0) await this.#pushOthers(name, branch, others);
    return path;
  }

  async #pushOthers(name: string, branch: string, others: InitialContent['others']): Promise<void> {
    for (const [other, changes] of Object.entries(others)) {
      await this.#git(name, 'branch', other, branch);
      await this.#commit(name, changes, other, true);
    }
    await this.#git(name, 'push', '--quiet', '--all', this.#remote(name));
  }

  /** Commits to a branch, new or not, on top of `from`; `null` deletes a file. Gives the id. */
  async commit(name: string, files: Files, branch: string, from: string): Promise<string> {
    await this.#git(name, 'fetch', '--quiet', this.#remote(name), `+refs/heads/${from}:refs/heads/${branch}`);
    const id = await this.#commit(name, files, branch, true);
    await this.#git(name, 'push', '--quiet', this.#remote(name), `${id}:refs/heads/${branch}`);
    return id;
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

  #commit(name: string, files: Files, branch: string, onTop: boolean): Promise<string> {
    const author = `${this.#owner.name} <${this.#owner.name}@example.com>`;
    const message = onTop ? 'Another change' : 'Initial commit';
    return commitFiles(this.#clone(name), files, { branch, author, message, onTop });
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
