import type { Answer } from './answer.ts';
import type { ContextOptions } from './context.ts';
import { ApiError, answerError } from './errors.ts';
import type { Credentials } from './identity.ts';
import { lines } from './lines.ts';
import { type ObjectPath, urlPath } from './resource.ts';
import { Transport } from './transport.ts';

export interface ClientOptions extends ContextOptions {
  /** Path of the kubeconfig; by default kubectl's rules find it, and in a pod its service account is used. */
  readonly kubeconfig?: string;
  /** Time for one call and its repetitions; watches have none. Default 30 s. */
  readonly requestTimeoutMs?: number;
  readonly userAgent?: string;
}

export interface ListQuery {
  readonly limit?: number;
  readonly continue?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: 'Exact' | 'NotOlderThan';
}

export interface WriteQuery {
  readonly fieldManager?: string;
  readonly dryRun?: 'All';
  /** Server-side apply only: takes over fields that others manage. */
  readonly force?: boolean;
}

export interface DeleteQuery {
  readonly propagationPolicy?: 'Foreground' | 'Background' | 'Orphan';
  readonly gracePeriodSeconds?: number;
  readonly dryRun?: 'All';
  /** Deletes the object of this uid only, and not one that bears its name since. */
  readonly uid?: string;
}

export type PatchType = 'merge' | 'json' | 'strategic' | 'apply';

const PATCH_CONTENT_TYPES: Readonly<Record<PatchType, string>> = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};
const JSON_CONTENT = { 'content-type': 'application/json' };

/**
 * Connects to a cluster: finds credentials, opens no connection yet.
 *
 * @throws {KubeconfigError} when no cluster is named or the kubeconfig cannot be used
 */
export async function connect(options: ClientOptions = {}): Promise<KubeClient> {
  const { openCredentials } = await import('./credentials.ts');
  return new KubeClient(await openCredentials(options), options);
}

/**
 * Calls to the API server with plain JSON in and out. It writes by patches only: an object that was read, changed and sent
 * back whole loses the fields that this version does not know.
 *
 * Every method throws {@link ApiError}, and the reason of its signal when that is aborted.
 */
export class KubeClient {
  /** The namespace of the kubeconfig's context, or of the service account. */
  readonly namespace: string;
  readonly server: string;
  readonly #transport: Transport;

  constructor(credentials: Credentials, options: Pick<ClientOptions, 'requestTimeoutMs' | 'userAgent'> = {}) {
    const { requestTimeoutMs = 30_000, userAgent = 'fleetscan' } = options;
    this.namespace = credentials.namespace;
    this.server = credentials.server;
    this.#transport = new Transport(credentials, { requestTimeoutMs, userAgent });
  }

  async get(path: ObjectPath, signal?: AbortSignal): Promise<unknown> {
    return this.#call('GET', urlPath(path), { signal });
  }

  async list(path: ObjectPath, query: ListQuery = {}, signal?: AbortSignal): Promise<unknown> {
    return this.#call('GET', urlPath(path) + queryText({ ...query }), { signal });
  }

  /** Creates an object; `path` names the collection. */
  async create(
    path: ObjectPath,
    body: object,
    query: Omit<WriteQuery, 'force'> = {},
    signal?: AbortSignal,
  ): Promise<unknown> {
    return this.#call('POST', urlPath(path) + queryText({ ...query }), {
      headers: JSON_CONTENT,
      body: JSON.stringify(body),
      signal,
    });
  }

  async patch(
    path: ObjectPath,
    body: object,
    type: PatchType,
    query: WriteQuery = {},
    signal?: AbortSignal,
  ): Promise<unknown> {
    const headers = { 'content-type': PATCH_CONTENT_TYPES[type] };
    return this.#call('PATCH', urlPath(path) + queryText({ ...query }), {
      headers,
      body: JSON.stringify(body),
      signal,
    });
  }

  async delete(path: ObjectPath, query: DeleteQuery = {}, signal?: AbortSignal): Promise<unknown> {
    const { uid, ...parameters } = query;
    const url = urlPath(path) + queryText(parameters);
    if (uid === undefined) return this.#call('DELETE', url, { signal });
    const body = JSON.stringify({ apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid } });
    return this.#call('DELETE', url, { headers: JSON_CONTENT, body, signal });
  }

  /** Opens a watch and gives its lines, each the JSON of one event. Ends when the server ends it. */
  async *watchLines(
    path: ObjectPath,
    query: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): AsyncGenerator<string> {
    const stream = await this.#transport.open({
      method: 'GET',
      path: urlPath(path) + queryText({ ...query, watch: 'true' }),
      signal,
    });
    yield* lines(stream);
  }

  /** A call to any path, such as `/readyz`, with its answer as it is: a status that is no success throws nothing. */
  async raw(
    method: string,
    path: string,
    options: { headers?: Record<string, string>; body?: string; signal?: AbortSignal | undefined } = {},
  ): Promise<Answer> {
    return this.#transport.send({ method, path, ...options });
  }

  /** Closes all connections at once: calls and watches in flight fail. */
  async close(): Promise<void> {
    await this.#transport.close();
  }

  async #call(
    method: string,
    path: string,
    options: { headers?: Record<string, string>; body?: string; signal: AbortSignal | undefined },
  ): Promise<unknown> {
    const { status, body } = await this.raw(method, path, options);
    if (status < 200 || status > 299) throw answerError(status, body);
    return parseJson(body, status);
  }
}

function parseJson(body: string, status: number): unknown {
  try {
    return JSON.parse(body);
  } catch {
    // The text is not shown, nor the parser's message that quotes it: it may be half of a Secret.
    throw new ApiError(
      'Server',
      `the API server's answer is not JSON (HTTP ${status}, ${body.length} characters)`,
      { status },
    );
  }
}

function queryText(query: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const given = Object.entries(query).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, String(value)]],
  );
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`;
}
