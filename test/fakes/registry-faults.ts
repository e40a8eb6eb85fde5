import type { IncomingMessage, ServerResponse } from 'node:http';

/** A request that came in, for assertions. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** Answers a request in place of the registry. */
export type Respond = (request: SeenRequest, response: ServerResponse) => void;

/** An answer out of the ordinary: for requests of this method and path, from the `after`-th such on, `times` times. */
export interface Fault {
  readonly method?: string;
  readonly path?: RegExp;
  readonly after?: number;
  readonly times?: number;
  readonly respond: Respond;
}

/** A plain answer; a HEAD gets its headers alone. */
export function respondWith(
  status: number,
  headers: Record<string, string | string[]> = {},
  body: string | Buffer = '',
): Respond {
  return (request, response) => {
    response.writeHead(status, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      ...headers,
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  };
}

/** An error in the form that the distribution specification gives. */
export function registryError(status: number, code: string, message = code.toLowerCase()): Respond {
  return respondWith(status, {}, JSON.stringify({ errors: [{ code, message }] }));
}

/** The connection is lost in the middle of the body. */
export const cutBody: Respond = (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1000 });
  response.write('{"name":"app","tags":["1.0', () => response.socket?.destroy());
};

/** Nothing comes, ever. */
export const hang: Respond = () => {};

/** The headers come, and then one byte in a while, without an end. */
export const trickle: Respond = (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  const timer = setInterval(() => response.write(' '), 20);
  response.on('close', () => clearInterval(timer));
};

/** A body of this many bytes, as fast as it is read. */
export function flood(bytes: number): Respond {
  return (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const chunk = Buffer.alloc(64 * 1024, ' ');
    let left = bytes;
    const more = (): void => {
      while (left > 0) {
        left -= chunk.length;
        if (!response.write(chunk)) return void response.once('drain', more);
      }
      response.end();
    };
    more();
  };
}

/** A redirect; `target` may be made of the request. */
export function redirectTo(target: string | ((request: SeenRequest) => string), status = 307): Respond {
  return (request, response) =>
    respondWith(status, { location: typeof target === 'string' ? target : target(request) })(
      request,
      response,
    );
}

/** One answer after the other, and from the first again: a list that comes and goes, a tag that names another digest at each request. */
export function inTurn(first: Respond, ...others: readonly Respond[]): Respond {
  const all = [first, ...others];
  let count = 0;
  return (request, response) => (all[count++ % all.length] ?? first)(request, response);
}

/** Pages of one tag each, every one with a link to the next. */
export function endlessPages(): Respond {
  let page = 0;
  return (request, response) => {
    page += 1;
    const link = `<${request.path}?last=endless-${page}>; rel="next"`;
    respondWith(200, { link }, JSON.stringify({ tags: [`endless-${page}`] }))(request, response);
  };
}

/** A refusal because of a limit, in the form of these headers or of this body. */
export function limited(headers: Record<string, string> = {}, message = 'too many requests'): Respond {
  const body = JSON.stringify({ errors: [{ code: 'TOOMANYREQUESTS', message }] });
  return respondWith(429, headers, body);
}
