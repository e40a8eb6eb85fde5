import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { DurationError, parseDuration } from '../../core/duration.ts';
import { messageOf } from '../../core/errors.ts';
import { ProviderError } from './errors.ts';

/** A program that gives credentials for images, and for which ones. */
export interface CredentialProvider {
  readonly name: string;
  readonly apiVersion: string;
  /** Patterns as `matchesImage` reads them. */
  readonly matchImages: readonly string[];
  /** How long an answer is good that does not say so itself, in milliseconds. */
  readonly defaultCacheMs: number;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const duration = z.string().transform((text, context) => {
  try {
    return parseDuration(text);
  } catch (error) {
    if (!(error instanceof DurationError)) throw error;
    context.addIssue({ code: 'custom', message: error.message });
    return z.NEVER;
  }
});

// https://kubernetes.io/docs/reference/config-api/kubelet-config.v1/#CredentialProviderConfig
const provider = z.object({
  name: z
    .string()
    .min(1)
    .refine(
      (name) => !/[/\s]/.test(name) && name !== '.' && name !== '..',
      'must be the name of a file in the folder',
    ),
  apiVersion: z.enum(['credentialprovider.kubelet.k8s.io/v1', 'credentialprovider.kubelet.k8s.io/v1beta1']),
  matchImages: z.array(z.string().min(1)).min(1),
  defaultCacheDuration: duration,
  args: z.array(z.string()).nullish(),
  env: z.array(z.object({ name: z.string().min(1), value: z.string() })).nullish(),
  tokenAttributes: z
    .undefined({ error: 'is not supported: a scan has no pod whose service account could ask' })
    .optional(),
});
const config = z.object({
  apiVersion: z.enum(['kubelet.config.k8s.io/v1', 'kubelet.config.k8s.io/v1beta1']),
  kind: z.literal('CredentialProviderConfig'),
  providers: z.array(provider).min(1),
});

/**
 * Reads a `CredentialProviderConfig` as the kubelet does: a YAML or JSON file, or a folder whose `.json`, `.yaml` and `.yml` files are taken
 * together, in the order of their names.
 *
 * @throws {ProviderError} 'InvalidProviderConfig' that names the file and everything that is wrong with it
 */
export async function readProviderConfig(file: string): Promise<CredentialProvider[]> {
  const files = await filesOf(file);
  if (files.length === 0) throw invalid(file, 'the folder has no .json, .yaml or .yml file');
  const providers = (await Promise.all(files.map(readOne))).flat();
  const twice = providers.find(({ name }, index) => providers.findIndex((it) => it.name === name) < index);
  if (twice !== undefined) throw invalid(file, `the provider ${twice.name} comes twice`);
  return providers;
}

async function filesOf(file: string): Promise<string[]> {
  try {
    if (!(await stat(file)).isDirectory()) return [file];
    const names = await readdir(file);
    return names
      .filter((name) => /\.(?:json|ya?ml)$/.test(name))
      .toSorted()
      .map((name) => path.join(file, name));
  } catch (error) {
    throw invalid(file, messageOf(error));
  }
}

async function readOne(file: string): Promise<CredentialProvider[]> {
  const parsed = config.safeParse(await parseFile(file));
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      ({ path, message }) => `${path.join('.') || 'the file'}: ${message}`,
    );
    throw invalid(file, problems.join('; '));
  }
  return parsed.data.providers.map(({ name, apiVersion, matchImages, defaultCacheDuration, args, env }) => ({
    name,
    apiVersion,
    matchImages,
    defaultCacheMs: defaultCacheDuration,
    args: args ?? [],
    env: Object.fromEntries((env ?? []).map(({ name, value }) => [name, value])),
  }));
}

async function parseFile(file: string): Promise<unknown> {
  try {
    const [document, ...more] = parseAllDocuments(await readFile(file, 'utf8'));
    const error = document && 'errors' in document ? document.errors[0] : undefined;
    if (document === undefined || error !== undefined || more.length > 0)
      throw new Error(error?.message ?? 'must hold one document');
    return document.toJS();
  } catch (error) {
    throw invalid(file, messageOf(error));
  }
}

function invalid(file: string, problem: string): ProviderError {
  return new ProviderError('InvalidProviderConfig', `the credential providers of ${file}: ${problem}`);
}
