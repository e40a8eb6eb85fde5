import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import {
  type Blob,
  type LargeBlob,
  type OpenOptions,
  openRepository,
  type Repository,
} from '../../git/repository.ts';

export const AUTHOR = { name: 'Fleetscan', email: 'fleetscan@example.org' };
/** Later than any commit of the tests, for a commit is dated no earlier than its parent. */
export const DATE = new Date('2099-05-06T07:08:09Z');

/** A folder that is removed at the end of the test. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'fleetscan-git-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs git in a bare repository, for preparing and for looking. */
export function git(directory: string, args: string[], input?: string | Buffer): Buffer {
  return execFileSync('git', ['--git-dir', directory, ...args], {
    env: {
      PATH: process.env['PATH'],
      HOME: '/dev/null',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
    },
    maxBuffer: 1e9,
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(input !== undefined && { input }),
  });
}

export function gitText(directory: string, args: string[]): string {
  return git(directory, args).toString().trim();
}

/** What stands at a path: text or bytes of a file, an executable, a symbolic link or a submodule. */
export type Entry =
  | string
  | Buffer
  | { mode: '100755' | '120000'; content: string }
  | { mode: '160000'; oid: string };

/** Commits to a branch on the server's disk, as a colleague would. @returns the commit id */
export function commitOnServer(
  directory: string,
  entries: Record<string, Entry>,
  branch = 'main',
  fresh = false,
): string {
  const ref = `refs/heads/${branch}`;
  const parent = fresh ? '' : `from ${ref}^0\n`;
  const parts: (string | Buffer)[] = [
    `commit ${ref}\ncommitter Human <human@example.org> 1700000000 +0000\ndata 5\nhuman\n${parent}`,
  ];
  for (const [name, entry] of Object.entries(entries)) parts.push(...modify(name, entry), '\n');
  const stream = Buffer.concat(parts.map((part) => Buffer.from(part)));
  git(directory, ['fast-import', '--quiet', '--force'], stream);
  return gitText(directory, ['rev-parse', ref]);
}

function modify(name: string, entry: Entry): (string | Buffer)[] {
  const quoted = `"${name.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
  if (typeof entry === 'object' && 'oid' in entry) return [`M 160000 ${entry.oid} ${quoted}`];
  const { mode, content } =
    typeof entry === 'string' || Buffer.isBuffer(entry) ? { mode: '100644', content: entry } : entry;
  const bytes = Buffer.from(content);
  return [`M ${mode} inline ${quoted}\ndata ${bytes.length}\n`, bytes];
}

/** Opens a repository with a fresh local copy, with this process's PATH. */
export function open(t: TestContext, options: Partial<OpenOptions> & { url: string }): Promise<Repository> {
  return openRepository({
    directory: path.join(temporaryFolder(t), 'cache'),
    environment: { PATH: process.env['PATH'] },
    ...options,
  });
}

/** The content of a blob that is not too large to be read. */
export function contentOf(blob: Blob | LargeBlob): Buffer {
  if (!('content' in blob)) throw new Error(`blob ${blob.oid} of ${blob.size} bytes was not read`);
  return blob.content;
}

/** Listens on a free port of the loopback until the end of the test. */
export async function listen(
  t: TestContext,
  server: Server | ReturnType<typeof createTcpServer>,
): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

/** A server that takes a connection and never says a word. */
export async function silentServer(t: TestContext): Promise<string> {
  return `http://127.0.0.1:${await listen(
    t,
    createTcpServer(() => undefined),
  )}`;
}

/**
 * An HTTP server in front of another; `meddle` says what becomes of a request: it is passed on,
 * it was answered already, or it is passed on and its answer is lost on the way back.
 */
export async function front(
  t: TestContext,
  target: string,
  meddle: (incoming: IncomingMessage, answer: ServerResponse) => 'pass' | 'answered' | 'loseAnswer',
): Promise<string> {
  const server = createServer((incoming, answer) => {
    const fate = meddle(incoming, answer);
    if (fate === 'answered') return;
    const onward = request(new URL(incoming.url ?? '/', target), {
      method: incoming.method ?? 'GET',
      headers: incoming.headers,
    });
    onward.on('response', (response) => {
      if (fate === 'loseAnswer') {
        response.resume().on('end', () => answer.destroy());
        return;
      }
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(answer);
    });
    onward.on('error', () => answer.destroy());
    incoming.pipe(onward);
  });
  return `http://127.0.0.1:${await listen(t, server)}`;
}

/** The private folders of this process that are there now. */
export async function privateFolders(): Promise<string[]> {
  const own = `fleetscan-private-${process.pid}-`;
  return (await readdir(os.tmpdir())).filter((name) => name.startsWith(own));
}

/** The processes of the machine whose command line holds a text. */
export function processesWith(text: string): string[] {
  const lines = execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' }).split('\n');
  return lines.filter((line) => line.includes(text));
}
