import { Agent, request } from 'undici';
import { type BasicCredential, basicAuth } from './basic-auth.ts';

/** Requests to one repository of a registry. It is the tests' own client, small and apart from the product's. */
export interface Session {
  /** Sends a request to `/v2/<repository>/<path>`. Throws when the status is none of those expected. */
  send(
    method: 'HEAD' | 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    content: Content,
    expected: readonly number[],
  ): Promise<Answer>;
  /** Sends a blob to the place that a `POST` of an upload gave. */
  upload(location: string, digest: string, body: Buffer): Promise<void>;
  close(): Promise<void>;
}

interface Content {
  readonly body?: Buffer;
  readonly contentType?: string;
}

interface Answer {
  readonly status: number;
  readonly location: string;
  readonly digest: string;
  readonly body: string;
}

type Method = Parameters<Session['send']>[0];

/** Opens one; a credential is shown as the registry asks for it: as it is, or for a token by Docker's token protocol. */
export function openSession(host: string, repository: string, credential?: BasicCredential): Session {
  // Of its own, so that no connection outlives the registry that it leads to.
  const dispatcher = new Agent();
  let authorization: string | undefined;

  const once = async (method: Method, url: string, { body, contentType }: Content) =>
    request(url, {
      dispatcher,
      method,
      body: body ?? null,
      headers: {
        accept: 'application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, */*',
        ...(contentType !== undefined && { 'content-type': contentType }),
        ...(authorization !== undefined && { authorization }),
      },
    });

  const call = async (
    method: Method,
    url: string,
    content: Content,
    expected: readonly number[],
  ): Promise<Answer> => {
    let response = await once(method, url, content);
    if (response.statusCode === 401 && credential !== undefined && authorization === undefined) {
      await response.body.dump();
      const challenge = String(response.headers['www-authenticate']);
      authorization = challenge.startsWith('Basic')
        ? basicAuth(credential)
        : `Bearer ${await askToken(challenge, credential, dispatcher)}`;
      response = await once(method, url, content);
    }
    const { statusCode: status, headers } = response;
    const body = await response.body.text();
    if (!expected.includes(status)) throw new Error(`${method} ${url} answered ${status}: ${body}`);
    return {
      status,
      body,
      location: String(headers['location'] ?? ''),
      digest: String(headers['docker-content-digest'] ?? ''),
    };
  };

  const base = `http://${host}/v2/${repository}/`;
  return {
    send: (method, path, content, expected) => call(method, `${base}${path}`, content, expected),
    upload: async (location, digest, body) => {
      const url = new URL(location, base);
      url.searchParams.set('digest', digest);
      await call('PUT', url.href, { body, contentType: 'application/octet-stream' }, [201]);
    },
    close: () => dispatcher.close(),
  };
}

/** Asks for pull and push, so that one token serves the whole push. */
async function askToken(challenge: string, credential: BasicCredential, dispatcher: Agent): Promise<string> {
  const parameters = new Map(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key, value]),
  );
  const url = new URL(parameters.get('realm') ?? '');
  url.searchParams.set('service', parameters.get('service') ?? '');
  const [type, name] = (parameters.get('scope') ?? '').split(':');
  url.searchParams.set('scope', `${type}:${name}:pull,push,delete`);
  const response = await request(url, { dispatcher, headers: { authorization: basicAuth(credential) } });
  const answer = await response.body.text();
  if (response.statusCode !== 200)
    throw new Error(`the token server answered ${response.statusCode}: ${answer}`);
  return (JSON.parse(answer) as { token: string }).token;
}
