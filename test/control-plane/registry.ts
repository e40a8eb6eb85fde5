import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { request } from 'undici';
import { binaries } from './binaries.ts';
import { freePort, type RunningProcess, startProcess, temporaryFolder, untilReady } from './processes.ts';
import type { Progress } from './progress.ts';
import { startTokenServer, type TokenServer } from './token-server.ts';

export interface RegistryOptions {
  /** When given, every request needs a token, and a token needs these. */
  readonly auth?: { readonly username: string; readonly password: string; readonly identityToken?: string };
  /** When given, every request needs this user and password, as htpasswd has them. Excludes `auth`. */
  readonly htpasswd?: boolean;
  /** A registry whose images this one passes on, as `http://host`: a pull-through mirror. */
  readonly mirrorOf?: string;
  /** How long a token lives (default 300 s; the registry itself adds a minute of leeway). */
  readonly tokenLifetimeSeconds?: number;
  readonly progress?: Progress;
}

/** A request that reached the registry, as its access log has it. */
export interface RegistryRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly status: number;
  readonly userAgent: string;
}

/** The user of a registry with `htpasswd`. */
export const HTPASSWD_USER = { username: 'robot', password: 'correct-horse' };
// Distribution takes bcrypt only.
const HTPASSWD_LINE = `${HTPASSWD_USER.username}:$2b$05$/RZh.BMif.p0XzSxrU3kBu6a/DxogG/YhDmVPbrQFDVkxwiM/vALy\n`;

/** A Distribution registry over plain HTTP, with deletion enabled. */
export interface Registry {
  /** `127.0.0.1:port`, the same for its whole life. */
  readonly host: string;
  /** Gives an image more tags, as many as one likes: where they are stored, which is a thousand times as fast as pushing. */
  addTags(repository: string, digest: string, tags: readonly string[]): Promise<void>;
  /** All requests since the first start, oldest first. The log is written after the answer: wait for what you expect. */
  requests(): readonly RegistryRequest[];
  /** What the token server was asked; zeros when there is no authentication. */
  tokenRequests(): { readonly asked: number; readonly granted: number };
  /** Stops answering; the data stays until this process ends. */
  stop(): Promise<void>;
  /** Starts again at the same address with the same data. */
  start(): Promise<void>;
}

const SERVICE = 'fleetscan-test-registry';
// Apache's combined log format: client, two names, time, "METHOD URL PROTOCOL" status size "referer" "user agent".
const ACCESS_LINE = /^\S+ \S+ \S+ \[[^\]]*\] "(\S+) (\S+) \S+" (\d{3}) \S+ "[^"]*" "([^"]*)"/;

/** Starts a registry and waits until it answers. */
export async function startRegistry(options: RegistryOptions = {}): Promise<Registry> {
  const { progress, auth, tokenLifetimeSeconds } = options;
  const { registry: program } = await binaries(['registry'], progress === undefined ? {} : { progress });
  const folder = temporaryFolder('registry');
  const lifetime = tokenLifetimeSeconds === undefined ? {} : { lifetimeSeconds: tokenLifetimeSeconds };
  const tokens =
    auth === undefined ? undefined : await startTokenServer({ ...auth, ...lifetime, service: SERVICE });
  const host = `127.0.0.1:${await freePort()}`;
  const configuration = join(folder, 'registry.yaml');
  await writeFile(configuration, JSON.stringify(await configure(folder, host, tokens, options)));
  const registry = new LocalRegistry({ host, program, configuration, tokens, data: dataFolder(folder) });
  try {
    await registry.start();
    return registry;
  } catch (error) {
    await registry.stop();
    throw error;
  }
}

/** The configuration file (distribution.github.io/distribution/about/configuration); JSON is YAML. */
async function configure(
  folder: string,
  addr: string,
  tokens: TokenServer | undefined,
  { htpasswd = false, mirrorOf }: RegistryOptions,
): Promise<object> {
  const rootdirectory = dataFolder(folder);
  await mkdir(rootdirectory);
  const base = {
    version: '0.1',
    log: { level: 'warn' },
    http: { addr, secret: 'shared by all starts, so that an upload goes on after a restart' },
    storage: {
      filesystem: { rootdirectory },
      delete: { enabled: true },
      maintenance: { uploadpurging: { enabled: false } },
    },
    ...(mirrorOf !== undefined && { proxy: { remoteurl: mirrorOf } }),
  };
  if (htpasswd) {
    const file = join(folder, 'htpasswd');
    await writeFile(file, HTPASSWD_LINE);
    return { ...base, auth: { htpasswd: { realm: SERVICE, path: file } } };
  }
  if (tokens === undefined) return base;
  const jwks = join(folder, 'jwks.json');
  await writeFile(jwks, JSON.stringify(tokens.jwks));
  return { ...base, auth: { token: { realm: tokens.url, issuer: tokens.url, service: SERVICE, jwks } } };
}

function dataFolder(folder: string): string {
  return join(folder, 'data');
}

interface Setup {
  readonly host: string;
  readonly program: string;
  readonly configuration: string;
  readonly tokens: TokenServer | undefined;
  readonly data: string;
}

class LocalRegistry implements Registry {
  readonly host: string;
  readonly #setup: Setup;
  readonly #requests: RegistryRequest[] = [];
  #process: RunningProcess | undefined;

  constructor(setup: Setup) {
    this.host = setup.host;
    this.#setup = setup;
  }

  requests(): readonly RegistryRequest[] {
    return this.#requests;
  }

  async addTags(repository: string, digest: string, tags: readonly string[]): Promise<void> {
    const repositories = join(this.#setup.data, 'docker', 'registry', 'v2', 'repositories');
    const folder = join(repositories, repository, '_manifests', 'tags');
    for (const tag of tags) {
      await mkdir(join(folder, tag, 'current'), { recursive: true });
      await writeFile(join(folder, tag, 'current', 'link'), digest);
    }
  }

  tokenRequests(): { readonly asked: number; readonly granted: number } {
    return this.#setup.tokens?.requests() ?? { asked: 0, granted: 0 };
  }

  async start(): Promise<void> {
    const { program, configuration, host } = this.#setup;
    this.#process = startProcess({
      name: 'registry',
      command: program,
      args: ['serve', configuration],
      // Distribution 3 sends traces to localhost:4318 unless told not to.
      env: { OTEL_TRACES_EXPORTER: 'none' },
      onLine: (line) => this.#log(line),
    });
    await untilReady(this.#process, async () => {
      const { statusCode, body } = await request(`http://${host}/`, { reset: true });
      await body.dump();
      return statusCode === 200 ? true : undefined;
    });
  }

  async stop(): Promise<void> {
    await this.#process?.stop();
  }

  #log(line: string): void {
    const [, method, url, status, userAgent] = ACCESS_LINE.exec(line) ?? [];
    // The path "/" is our own question whether it is ready.
    if (method === undefined || url === undefined || url === '/') return;
    this.#requests.push({ method, url, status: Number(status), userAgent: userAgent ?? '' });
  }
}
