import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { messageOf } from '../core/errors.ts';
import { KubeconfigError } from './errors.ts';

const cluster = z.looseObject({
  server: z.string().optional(),
  'certificate-authority': z.string().optional(),
  'certificate-authority-data': z.string().optional(),
  'insecure-skip-tls-verify': z.boolean().optional(),
  'tls-server-name': z.string().optional(),
  'proxy-url': z.string().optional(),
});
const user = z.looseObject({
  'client-certificate': z.string().optional(),
  'client-key': z.string().optional(),
  token: z.string().optional(),
  tokenFile: z.string().optional(),
  as: z.string().optional(),
  'as-uid': z.string().optional(),
  'as-groups': z.array(z.string()).optional(),
  exec: z
    .looseObject({
      command: z.string(),
      env: z.array(z.object({ name: z.string(), value: z.string() })).nullish(),
    })
    .nullish(),
});
const context = z.looseObject({
  cluster: z.string().default(''),
  user: z.string().default(''),
  namespace: z.string().optional(),
});

const document = z.object({
  clusters: z
    .array(z.object({ name: z.string(), cluster }))
    .nullish()
    .transform((list) => list ?? []),
  users: z
    .array(z.object({ name: z.string(), user: user.nullish().transform((it) => it ?? {}) }))
    .nullish()
    .transform((list) => list ?? []),
  contexts: z
    .array(z.object({ name: z.string(), context }))
    .nullish()
    .transform((list) => list ?? []),
  'current-context': z
    .string()
    .nullish()
    .transform((name) => name ?? ''),
});

/** What we read of a kubeconfig (`v1.Config` of client-go); unknown fields of clusters and users are kept. */
export type Kubeconfig = z.infer<typeof document>;
export type Cluster = z.infer<typeof cluster>;
export type User = z.infer<typeof user>;

/**
 * Reads the kubeconfig by kubectl's rules: the file given, else the files of `$KUBECONFIG` (missing ones are passed
 * over, and of two entries with one name the first counts), else `~/.kube/config`. Relative paths in a file start at its folder.
 *
 * @returns undefined when there is no file
 * @throws {KubeconfigError} when one cannot be read
 */
export async function readKubeconfig(explicit?: string): Promise<Kubeconfig | undefined> {
  if (explicit !== undefined) {
    const config = await readOne(explicit);
    if (config === undefined)
      throw new KubeconfigError('InvalidKubeconfig', `there is no kubeconfig ${explicit}`);
    return config;
  }
  const configs = await Promise.all(defaultFiles().map(readOne));
  const found = configs.filter((config) => config !== undefined);
  return found.length === 0 ? undefined : found.reduce(merge);
}

/** Reads the text of a kubeconfig; `where` names it in errors. */
export function parseKubeconfig(text: string, where: string): Kubeconfig {
  const parsed = document.safeParse(parseYaml(text, where) ?? {});
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new KubeconfigError('InvalidKubeconfig', `${where}: ${issue?.path.join('.')}: ${issue?.message}`);
}

function defaultFiles(): string[] {
  const listed = (process.env['KUBECONFIG'] ?? '').split(path.delimiter).filter((file) => file !== '');
  return listed.length > 0 ? listed : [path.join(homedir(), '.kube', 'config')];
}

async function readOne(file: string): Promise<Kubeconfig | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new KubeconfigError('InvalidKubeconfig', `cannot read the kubeconfig ${file}: ${messageOf(error)}`);
  }
  return withAbsolutePaths(parseKubeconfig(text, file), path.dirname(path.resolve(file)));
}

function parseYaml(text: string, where: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    // The parser's message quotes the line it stopped at, which may be a token: only its first line is shown.
    const [summary] = messageOf(error).split('\n', 1);
    throw new KubeconfigError('InvalidKubeconfig', `${where} is not YAML: ${summary}`);
  }
}

function merge(first: Kubeconfig, next: Kubeconfig): Kubeconfig {
  return {
    clusters: [...first.clusters, ...next.clusters],
    users: [...first.users, ...next.users],
    contexts: [...first.contexts, ...next.contexts],
    'current-context': first['current-context'] === '' ? next['current-context'] : first['current-context'],
  };
}

function withAbsolutePaths(config: Kubeconfig, folder: string): Kubeconfig {
  const absolute = (file: string): string => path.resolve(folder, file);
  return {
    ...config,
    clusters: config.clusters.map((entry) => ({
      ...entry,
      cluster: mapText(entry.cluster, ['certificate-authority'], absolute),
    })),
    users: config.users.map((entry) => ({
      ...entry,
      user: withAbsoluteCommand(
        mapText(entry.user, ['client-certificate', 'client-key', 'tokenFile'], absolute),
        absolute,
      ),
    })),
  };
}

// A command without a slash is looked for in PATH, as in a shell.
function withAbsoluteCommand(user: User, absolute: (file: string) => string): User {
  if (!user.exec?.command.includes('/')) return user;
  return { ...user, exec: { ...user.exec, command: absolute(user.exec.command) } };
}

function mapText<T extends Record<string, unknown>>(
  object: T,
  keys: readonly (keyof T & string)[],
  map: (text: string) => string,
): T {
  const changed = keys.flatMap((key) => {
    const value = object[key];
    return typeof value === 'string' && value !== '' ? [[key, map(value)] as const] : [];
  });
  return { ...object, ...Object.fromEntries(changed) };
}
