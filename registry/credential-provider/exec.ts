import { spawn } from 'node:child_process';
import path from 'node:path';
import { z } from 'zod';
import { parseDuration } from '../../core/duration.ts';
import { messageOf } from '../../core/errors.ts';
import { oneLine } from '../../core/one-line.ts';
import type { CredentialProvider } from './config.ts';
import { ProviderError } from './errors.ts';

const MAX_OUTPUT_BYTES = 1024 * 1024;
const MAX_ERROR_BYTES = 2048;
/** As the kubelet has it. */
const TIMEOUT_MS = 60_000;
/** From the end of a program to the last that it wrote. */
const GRACE_MS = 1000;

// https://kubernetes.io/docs/reference/config-api/kubelet-credentialprovider.v1/#credentialprovider-kubelet-k8s-io-v1-CredentialProviderResponse
const response = z.object({
  kind: z.literal('CredentialProviderResponse'),
  apiVersion: z.string(),
  cacheKeyType: z.enum(['Image', 'Registry', 'Global']),
  cacheDuration: z.string().nullish(),
  auth: z.record(z.string(), z.object({ username: z.string(), password: z.string() })).nullish(),
});

/** What a provider gave. */
export interface ProviderAnswer {
  /** What the answer is good for: the image that was asked about, all of its registry, or any. */
  readonly cacheKeyType: 'Image' | 'Registry' | 'Global';
  /** How long it is good, in milliseconds; 0: this once. */
  readonly cacheMs: number;
  /** Credentials by the pattern of the images that they are for. */
  readonly auth: Readonly<Record<string, { readonly username: string; readonly password: string }>>;
}

/** Where providers are, and what they are given. */
export interface ProviderOptions {
  /** The folder with the programs. */
  readonly binDir: string;
  /** The variables that they get besides their own: a cloud's identity is told to programs there. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Milliseconds; default one minute. */
  readonly timeoutMs?: number;
}

/**
 * Asks a provider about an image, by the kubelet's exec protocol: a request on standard input, an answer on standard output.
 *
 * @throws {ProviderError} 'ProviderFailed'
 */
export async function askProvider(
  provider: CredentialProvider,
  image: string,
  options: ProviderOptions,
): Promise<ProviderAnswer> {
  const request = { kind: 'CredentialProviderRequest', apiVersion: provider.apiVersion, image };
  const output = await run(provider, JSON.stringify(request), options);
  const parsed = response.safeParse(parseJson(output));
  if (!parsed.success || parsed.data.apiVersion !== provider.apiVersion)
    throw failed(provider, `does not answer with a CredentialProviderResponse of ${provider.apiVersion}`);
  const { cacheKeyType, cacheDuration, auth } = parsed.data;
  return { cacheKeyType, cacheMs: cacheMsOf(provider, cacheDuration), auth: auth ?? {} };
}

function cacheMsOf(provider: CredentialProvider, cacheDuration: string | null | undefined): number {
  if (cacheDuration === null || cacheDuration === undefined) return provider.defaultCacheMs;
  try {
    return parseDuration(cacheDuration);
  } catch {
    throw failed(provider, 'answers with a cacheDuration that is none');
  }
}

function run(provider: CredentialProvider, input: string, options: ProviderOptions): Promise<string> {
  const { binDir, environment, timeoutMs = TIMEOUT_MS } = options;
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = spawn(path.join(binDir, provider.name), provider.args, {
    env: { ...environment, ...provider.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  });
  const output: Buffer[] = [];
  let size = 0;
  let complaint = '';
  child.stdout.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= MAX_OUTPUT_BYTES) output.push(chunk);
    else child.kill('SIGKILL');
  });
  child.stderr.on('data', (chunk: Buffer) => {
    if (complaint.length < MAX_ERROR_BYTES) complaint += chunk.toString('utf8');
  });
  // A program may answer without reading what it is asked.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  child.on('error', (error) => reject(failed(provider, `cannot be run: ${messageOf(error)}`)));
  // What a program left behind may hold its output open: then that is closed for it.
  child.on('exit', () => {
    setTimeout(() => {
      child.stdout.destroy();
      child.stderr.destroy();
    }, GRACE_MS).unref();
  });
  child.on('close', (code, signal) => {
    if (size > MAX_OUTPUT_BYTES) reject(failed(provider, `answers with more than ${MAX_OUTPUT_BYTES} bytes`));
    else if (signal === 'SIGKILL') reject(failed(provider, `did not end in ${timeoutMs} ms`));
    else if (code !== 0)
      reject(failed(provider, `ended with ${code ?? signal}: ${oneLine(complaint.trim(), 500)}`));
    else resolve(Buffer.concat(output).toString('utf8'));
  });
  return promise;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function failed({ name }: CredentialProvider, problem: string): ProviderError {
  return new ProviderError('ProviderFailed', `the credential provider ${name} ${problem}`);
}
