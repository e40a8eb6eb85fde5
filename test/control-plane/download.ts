import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { type Dispatcher, EnvHttpProxyAgent, interceptors, request } from 'undici';
import { CodedError, messageOf } from '../../core/errors.ts';
import { megabytes, type Progress } from './progress.ts';

/**
 * Why a file was not got: no answer from its host (`Unreachable`), an answer other than the file (`Missing`), a connection
 * cut again and again (`Broken`), no checksum to be found (`NoChecksum`), or bytes that do not match it (`WrongChecksum`).
 */
export type DownloadErrorCode = 'Unreachable' | 'Missing' | 'Broken' | 'NoChecksum' | 'WrongChecksum';
export class DownloadError extends CodedError<DownloadErrorCode> {}

export interface DownloaderOptions {
  readonly progress: Progress;
  /** Asked instead of the official hosts: `https://host/path` becomes `<mirror>/host/path`. */
  readonly mirror?: string;
  /** Hosts that gave no answer, with the reason. They are asked once, and not again by whoever shares this map. */
  readonly unreachable?: Map<string, string>;
}

interface Wanted {
  readonly label: string;
  readonly url: string;
  readonly checksumUrl: string;
}

const CONNECT_MS = 5000;
const STALL_MS = 30_000;
/** How often in a row a cut may bring nothing new. */
const FRUITLESS_CUTS = 3;
const RETRY_PAUSE_MS = 300;

/** Gets files by HTTP: resumes what was cut, checks SHA-256. Honours HTTP_PROXY, HTTPS_PROXY and NO_PROXY. */
export class Downloader {
  readonly #progress: Progress;
  readonly #mirror: string | undefined;
  readonly #unreachable: Map<string, string>;
  readonly #agent: EnvHttpProxyAgent;
  readonly #dispatcher: Dispatcher;

  constructor({ progress, mirror, unreachable = new Map() }: DownloaderOptions) {
    this.#progress = progress;
    this.#mirror = mirror;
    this.#unreachable = unreachable;
    const noProxy = [process.env['NO_PROXY'] ?? process.env['no_proxy'], 'localhost', '127.0.0.1'];
    this.#agent = new EnvHttpProxyAgent({
      noProxy: noProxy.filter((entry) => entry !== undefined).join(','),
      connect: { timeout: CONNECT_MS },
      headersTimeout: STALL_MS,
      bodyTimeout: STALL_MS,
    });
    this.#dispatcher = this.#agent.compose(interceptors.redirect({ maxRedirections: 5 }));
  }

  /**
   * Downloads a file and checks it. What a former attempt left in `<path>.partial` is kept and continued.
   *
   * @throws {DownloadError}
   */
  async file(wanted: Wanted, path: string): Promise<void> {
    const partial = `${path}.partial`;
    const sum = await this.#checksum(wanted);
    await this.#fill(wanted, partial);
    const got = await sha256(partial);
    if (got !== sum) {
      await rm(partial, { force: true });
      throw new DownloadError(
        'WrongChecksum',
        `${wanted.url} has SHA-256 ${got}, but ${wanted.checksumUrl} says ${sum}; the file is deleted. Try again; when it stays so, do not trust that source`,
      );
    }
    await rename(partial, path);
  }

  async close(): Promise<void> {
    await this.#agent.close();
  }

  async #checksum({ url, checksumUrl }: Wanted): Promise<string> {
    const response = await this.#get(checksumUrl);
    if (response.statusCode !== 200) throw await missing(checksumUrl, response);
    const sum = findChecksum(await response.body.text(), basename(url));
    if (sum === undefined)
      throw new DownloadError('NoChecksum', `${checksumUrl} holds no SHA-256 of ${basename(url)}`);
    return sum;
  }

  async #fill(wanted: Wanted, partial: string): Promise<void> {
    let fruitless = 0;
    for (;;) {
      const from = await sizeOf(partial);
      try {
        return await this.#append(wanted, partial, from);
      } catch (error) {
        if (error instanceof DownloadError) throw error;
        fruitless = (await sizeOf(partial)) > from ? 0 : fruitless + 1;
        if (fruitless === FRUITLESS_CUTS) {
          throw new DownloadError(
            'Broken',
            `${wanted.url}: the connection is cut again and again: ${messageOf(error)}`,
            {
              cause: error,
            },
          );
        }
        this.#progress.line(`${wanted.label}: connection lost (${messageOf(error)}), resuming`);
        await delay(RETRY_PAUSE_MS);
      }
    }
  }

  async #append({ url, label }: Wanted, partial: string, from: number): Promise<void> {
    const response = await this.#get(url, from > 0 ? { range: `bytes=${from}-` } : {});
    // 416: there is nothing after what we have; the checksum tells whether that is the file.
    if (response.statusCode === 416) return response.body.dump();
    const resumed = response.statusCode === 206 && contentRange(response).startsWith(`bytes ${from}-`);
    if (!resumed && response.statusCode !== 200) throw await missing(url, response);
    const start = resumed ? from : 0;
    const total = start + Number(response.headers['content-length'] ?? Number.NaN);
    await pipeline(
      response.body,
      (body: Readable) => this.#counted(body, label, start, total),
      createWriteStream(partial, { flags: resumed ? 'a' : 'w' }),
    );
  }

  async *#counted(body: Readable, label: string, start: number, total: number): AsyncGenerator<Buffer> {
    const begun = performance.now();
    const whole = Number.isNaN(total) ? '' : ` of ${megabytes(total)}`;
    let done = start;
    for await (const chunk of body) {
      const bytes = Buffer.from(chunk);
      done += bytes.length;
      const perSecond = ((done - start) / Math.max(1, performance.now() - begun)) * 1000;
      this.#progress.update(`${label}: ${megabytes(done)}${whole}, ${megabytes(perSecond)}/s`);
      yield bytes;
    }
  }

  async #get(official: string, headers: Record<string, string> = {}): Promise<Dispatcher.ResponseData> {
    const { host, pathname } = new URL(official);
    const url = this.#mirror === undefined ? official : `${this.#mirror}/${host}${pathname}`;
    const known = this.#unreachable.get(host);
    if (known !== undefined) throw unreachable(host, known);
    try {
      return await request(url, { dispatcher: this.#dispatcher, headers });
    } catch (error) {
      this.#unreachable.set(host, messageOf(error));
      throw unreachable(host, messageOf(error), error);
    }
  }
}

/**
 * Finds a file's SHA-256 in the text that projects publish beside it: the sum alone, or lines of `sum  file name`.
 *
 * @returns undefined when it is not there
 */
export function findChecksum(text: string, fileName: string): string | undefined {
  const entries = text
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+\*?/));
  const [only] = entries;
  const sum =
    entries.length === 1 && only?.length === 1 ? only[0] : entries.find(([, name]) => name === fileName)?.[0];
  return sum !== undefined && /^[0-9a-f]{64}$/i.test(sum) ? sum.toLowerCase() : undefined;
}

function contentRange({ headers }: Dispatcher.ResponseData): string {
  const value = headers['content-range'];
  return typeof value === 'string' ? value : '';
}

async function missing(url: string, response: Dispatcher.ResponseData): Promise<DownloadError> {
  await response.body.dump();
  return new DownloadError('Missing', `${url} answered ${response.statusCode}`);
}

function unreachable(host: string, reason: string, cause?: unknown): DownloadError {
  return new DownloadError('Unreachable', `${host} cannot be reached: ${reason}`, { cause });
}

async function sizeOf(path: string): Promise<number> {
  const stats = await stat(path).catch(() => undefined);
  return stats?.size ?? 0;
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
