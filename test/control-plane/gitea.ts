import { chown, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { request } from 'undici';
import { type BasicCredential, basicAuth } from './basic-auth.ts';
import { BinariesError, binaries } from './binaries.ts';
import { GiteaPerson } from './gitea-person.ts';
import { GiteaRepositories, withCredential } from './gitea-repositories.ts';
import { giteaSettings } from './gitea-settings.ts';
import { filesOf } from './module-files.ts';
import { freePort, type RunningProcess, startProcess, temporaryFolder, untilReady } from './processes.ts';
import { mustRun } from './run.ts';
import { type Account, placeIn, unprivileged } from './unprivileged.ts';

/** A repository on Gitea. */
export interface GiteaRepository {
  /** As the API names it: `owner/name`. */
  readonly path: string;
  readonly url: string;
  /** The URL with the credential of {@link Gitea.robot}, who may push. */
  readonly cloneUrl: string;
}

/** A real Gitea: repositories over smart HTTP, and pull requests. */
export interface Gitea {
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  /** The administrator, who owns the repositories. */
  readonly ann: GiteaPerson;
  /** Somebody else, who may write to the repositories. */
  readonly bob: GiteaPerson;
  /** The account that Fleetscan has, which may write to the repositories. */
  readonly robot: GiteaPerson;
  /** Makes a repository whose default branch holds the files. */
  createRepository(
    name: string,
    files: Readonly<Record<string, string>>,
    branch?: string,
  ): Promise<GiteaRepository>;
  /** Commits to a branch as ann, by a push; `null` deletes a file. A new branch goes on from `from`. Gives the commit's id. */
  commit(
    name: string,
    files: Readonly<Record<string, string | null>>,
    branch?: string,
    from?: string,
  ): Promise<string>;
  /** The id of a branch's newest commit; undefined when there is no such branch. */
  head(name: string, branch?: string): Promise<string | undefined>;
  readFile(name: string, path: string, branch?: string): Promise<string>;
  stop(): Promise<void>;
}

/** Why there is no Gitea on this machine and none to be had, for the `skip` of tests that need it; false when there is. */
export async function noGitea(): Promise<string | false> {
  try {
    await binaries(['gitea']);
    return false;
  } catch (error) {
    if (!(error instanceof BinariesError)) throw error;
    return error.message;
  }
}

/** Starts one on a free port of 127.0.0.1, with three accounts. It takes a few seconds. */
export async function startGitea(): Promise<Gitea> {
  const server = await prepare();
  const running = startProcess({ ...server.command('web'), name: 'gitea' });
  try {
    await untilReady(running, () => isUp(server.url));
    return await giteaOf(server, running);
  } catch (error) {
    await running.stop();
    throw error;
  }
}

interface Server {
  readonly url: string;
  readonly folder: string;
  /** How Gitea is run to do something here. */
  readonly command: (...args: string[]) => Command;
}

interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly account: Account | undefined;
  readonly env: NodeJS.ProcessEnv;
}

async function prepare(): Promise<Server> {
  const folder = temporaryFolder('gitea');
  const cwd = join(folder, 'work');
  const configuration = join(cwd, 'app.ini');
  const account = unprivileged();
  const { gitea: cached } = await binaries(['gitea']);
  const command = account === undefined ? cached : await placeIn(folder, cached);
  const port = await freePort();
  await mkdir(cwd);
  await writeFile(configuration, giteaSettings({ folder: cwd, port, files: filesOf(command) }));
  if (account !== undefined) {
    for (const path of [folder, cwd, configuration]) await chown(path, account.uid, account.gid);
  }
  // Gitea takes some settings from the environment, and git would read its user's configuration.
  const inherited = Object.keys(process.env).filter((name) => /^(?:GITEA|GIT)_/.test(name));
  const env = { ...Object.fromEntries(inherited.map((name) => [name, undefined])), HOME: cwd };
  return {
    url: `http://127.0.0.1:${port}`,
    folder,
    command: (...args) => ({ command, args: [...args, '--config', configuration], cwd, account, env }),
  };
}

async function isUp(url: string): Promise<true | undefined> {
  const { statusCode, body } = await request(`${url}/api/healthz`, { reset: true });
  await body.dump();
  return statusCode === 200 ? true : undefined;
}

async function giteaOf(server: Server, running: RunningProcess): Promise<Gitea> {
  const { url, folder } = server;
  const ann = await createAdministrator(server, 'ann');
  const [bob, robot] = [await createPerson(url, ann, 'bob'), await createPerson(url, ann, 'robot')];
  const clones = join(folder, 'clones');
  await mkdir(clones);
  const repositories = new GiteaRepositories(url, ann, clones);
  return {
    url,
    ann,
    bob,
    robot,
    createRepository: async (name, files, branch = 'main') => {
      const path = await repositories.create(name, files, branch, [bob, robot]);
      const repository = `${url}/${path}.git`;
      return { path, url: repository, cloneUrl: withCredential(repository, robot) };
    },
    commit: (name, files, branch = 'main', from = branch) => repositories.commit(name, files, branch, from),
    head: (name, branch = 'main') => repositories.head(name, branch),
    readFile: (name, path, branch = 'main') => repositories.readFile(name, path, branch),
    stop: async () => {
      await running.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const PASSWORD = 'correct horse';

/** The first account is made on the command line, since nobody is there yet to ask the API for it. */
async function createAdministrator({ url, command }: Server, name: string): Promise<GiteaPerson> {
  const details = ['--username', name, '--email', `${name}@example.com`, '--password', PASSWORD];
  const token = ['--access-token', '--access-token-scopes', 'all'];
  const {
    command: program,
    args,
    ...options
  } = command('admin', 'user', 'create', '--admin', '--must-change-password=false', ...details, ...token);
  const { stdout } = await mustRun(program, args, options);
  const given = /token was successfully created\.* ([0-9a-f]{40})/.exec(stdout)?.[1];
  if (given === undefined) throw new Error(`gitea gave no token: ${stdout}`);
  return new GiteaPerson(url, name, given);
}

async function createPerson(url: string, administrator: GiteaPerson, name: string): Promise<GiteaPerson> {
  const account = { username: name, email: `${name}@example.com`, password: PASSWORD };
  await administrator.call('POST', '/admin/users', { ...account, must_change_password: false });
  return new GiteaPerson(url, name, await tokenOf(url, account));
}

/** A token is given for the password alone. Its scopes are those that pull requests and a push need. */
async function tokenOf(url: string, { username, password }: BasicCredential): Promise<string> {
  const { statusCode, body } = await request(`${url}/api/v1/users/${username}/tokens`, {
    method: 'POST',
    headers: { authorization: basicAuth({ username, password }), 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'tests', scopes: ['write:repository', 'write:issue', 'read:user'] }),
    reset: true,
  });
  const text = await body.text();
  if (statusCode !== 201) throw new Error(`gitea gave ${username} no token: ${statusCode} ${text}`);
  return (JSON.parse(text) as { sha1: string }).sha1;
}
