import { spawn } from 'node:child_process';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { gitEnvironment } from './git-commands.ts';
import { reaper } from './reaper.ts';

const HEADER_END = Buffer.from('\r\n\r\n');

/** Answers a request of git's smart HTTP protocol by `git http-backend`, which is a CGI program (RFC 3875). */
export function serveGit(root: string, request: IncomingMessage, response: ServerResponse): void {
  const child = spawn('git', ['http-backend'], {
    env: { ...process.env, ...gitEnvironment(), ...cgiVariables(root, request) },
  });
  const { pid } = child;
  if (pid !== undefined) reaper().watch(pid);
  child.once('error', (error) => response.destroy(error));
  child.once('close', () => {
    if (pid !== undefined) reaper().forget(pid);
    response.end();
  });
  response.once('close', () => child.kill());
  child.stdin.on('error', () => {});
  request.pipe(child.stdin);
  child.stderr.resume();
  forward(child.stdout, response);
}

function cgiVariables(root: string, { method, url = '/', headers }: IncomingMessage): NodeJS.ProcessEnv {
  const { pathname, search } = new URL(url, 'http://git');
  return {
    GIT_PROJECT_ROOT: root,
    GIT_HTTP_EXPORT_ALL: '1',
    GIT_PROTOCOL: String(headers['git-protocol'] ?? ''),
    REQUEST_METHOD: method,
    PATH_INFO: decodeURIComponent(pathname),
    QUERY_STRING: search.slice(1),
    CONTENT_TYPE: headers['content-type'] ?? '',
    // Absent for a chunked body: git then reads to its end.
    CONTENT_LENGTH: headers['content-length'],
    HTTP_CONTENT_ENCODING: headers['content-encoding'],
    REMOTE_ADDR: '127.0.0.1',
  };
}

/** The program's output: its headers, with the status as a header of that name, then the body. */
function forward(output: NodeJS.ReadableStream, response: ServerResponse): void {
  let head: Buffer | undefined = Buffer.alloc(0);
  output.on('data', (chunk: Buffer) => {
    if (head === undefined) {
      if (!response.write(chunk)) output.pause();
      return;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf(HEADER_END);
    if (end < 0) return;
    writeHead(response, head.subarray(0, end).toString('latin1'));
    response.write(head.subarray(end + HEADER_END.length));
    head = undefined;
  });
  response.on('drain', () => output.resume());
}

function writeHead(response: ServerResponse, head: string): void {
  for (const line of head.split('\r\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1).trim();
    if (name.toLowerCase() === 'status') response.statusCode = Number.parseInt(value, 10);
    else response.setHeader(name, value);
  }
}
