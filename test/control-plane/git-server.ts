import { mkdir, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type BasicCredential, basicAuth } from './basic-auth.ts';
import { commitFiles, git } from './git-commands.ts';
import { serveGit } from './git-http-backend.ts';
import { temporaryFolder } from './processes.ts';

export interface GitServerOptions {
  /** When given, every request needs it, by basic authentication. */
  readonly credential?: BasicCredential;
}

export interface LoggedCommit {
  readonly id: string;
  /** `Name <email>`. */
  readonly author: string;
  /** The whole message, without the newline at its end. */
  readonly message: string;
}

/** A Git server: repositories over smart HTTP, with push. */
export interface GitServer {
  /** `http://127.0.0.1:port`, without the credential. */
  readonly url: string;
  /** Makes a bare repository whose branch holds the files. `directory` is where it lies, for its hooks and settings. */
  createRepository(
    name: string,
    files: Readonly<Record<string, string>>,
    branch?: string,
  ): Promise<{ url: string; directory: string }>;
  /** Commits to a branch as somebody else would; `null` deletes a file. Gives the commit's id. */
  commit(name: string, files: Readonly<Record<string, string | null>>, branch?: string): Promise<string>;
  /** The id of a branch's newest commit. */
  head(name: string, branch?: string): Promise<string>;
  /** A branch's commits, newest first. */
  log(name: string, branch?: string): Promise<LoggedCommit[]>;
  readFile(name: string, path: string, ref?: string): Promise<string>;
  /** The requests so far, as `METHOD path`, oldest first. */
  requests(): readonly string[];
  stop(): Promise<void>;
}

const AUTHOR = 'Somebody Else <somebody@example.com>';

/** Starts one on a free port of 127.0.0.1. */
export async function startGitServer(options: GitServerOptions = {}): Promise<GitServer> {
  const root = temporaryFolder('git');
  const requests: string[] = [];
  const wanted = options.credential && basicAuth(options.credential);
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    if (wanted === undefined || request.headers.authorization === wanted)
      return serveGit(root, request, response);
    response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end('Unauthorized\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const directoryOf = (name: string) => join(root, `${name}.git`);
  const read = async (name: string, ...args: string[]) =>
    (await git(args, { cwd: directoryOf(name) })).stdout;
  return {
    url,
    createRepository: async (name, files, branch = 'main') => {
      const directory = directoryOf(name);
      await createBare(directory, branch);
      await commitFiles(directory, files, {
        branch,
        message: 'Initial commit',
        author: AUTHOR,
        onTop: false,
      });
      return { url: `${url}/${name}.git`, directory };
    },
    commit: (name, files, branch = 'main') =>
      commitFiles(directoryOf(name), files, {
        branch,
        message: 'Another change',
        author: AUTHOR,
        onTop: true,
      }),
    head: async (name, branch = 'main') =>
      (await read(name, 'rev-parse', '--verify', `refs/heads/${branch}`)).trim(),
    log: async (name, branch = 'main') =>
      readLog(await read(name, 'log', '-z', '--format=%H%n%an <%ae>%n%B', `refs/heads/${branch}`)),
    readFile: (name, path, ref = 'main') => read(name, 'cat-file', 'blob', `${ref}:${path}`),
    requests: () => requests,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(root, { recursive: true, force: true });
    },
  };
}

async function createBare(directory: string, branch: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await git(['init', '--quiet', '--bare', `--initial-branch=${branch}`], { cwd: directory });
  const settings = {
    'http.receivepack': 'true',
    // As GitHub, GitLab and Gitea have it.
    'uploadpack.allowFilter': 'true',
    'gc.auto': '0',
    'receive.autogc': 'false',
  };
  for (const [key, value] of Object.entries(settings)) await git(['config', key, value], { cwd: directory });
}

function readLog(text: string): LoggedCommit[] {
  const entries = text.split('\0').filter((entry) => entry !== '');
  return entries.map((entry) => {
    const [id = '', author = '', ...message] = entry.split('\n');
    return { id, author, message: message.join('\n').trimEnd() };
  });
}
