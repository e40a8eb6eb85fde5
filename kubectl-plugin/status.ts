import type { KubeClient } from '../kube/client.ts';
import { API_VERSION } from '../kube/kinds/common.ts';
import { type GitRepo, parseGitRepo } from '../kube/kinds/git-repo.ts';
import { type ImageScan, parseImageScan } from '../kube/kinds/image-scan.ts';
import { GIT_REPOS, IMAGE_SCANS, type Resource } from '../kube/resource.ts';
import { type ConnectionFlags, connection } from './connection.ts';
import { gitRepoColumns, scanColumns, type View } from './status-table.ts';
import { table } from './table.ts';
import { watchStatus } from './watch.ts';

/** The flags of `status`. */
export interface StatusFlags extends ConnectionFlags {
  readonly allNamespaces?: boolean;
  readonly output?: 'wide' | 'json' | 'yaml' | 'name';
  readonly watch?: boolean;
}

/** Objects as the server has them, for output that must not lose a field, beside what we read of them. */
export interface Status {
  readonly scans: readonly ImageScan[];
  readonly gitRepos: readonly GitRepo[];
  readonly raw: readonly unknown[];
}

/**
 * Shows ImageScans with what each has in force, and unless one was named the GitRepos.
 *
 * @throws {ApiError | KubeconfigError | UsageError}
 */
export async function status(name: string | undefined, flags: StatusFlags): Promise<void> {
  const { client, namespace } = await connection(flags);
  const where = flags.allNamespaces ? {} : { namespace };
  try {
    if (flags.watch)
      return await watchStatus(client, { ...where, ...(name !== undefined && { name }) }, flags);
    const found = name === undefined ? await listAll(client, where) : await getOne(client, namespace, name);
    await print(found, flags, namespace);
  } finally {
    await client.close();
  }
}

async function getOne(client: KubeClient, namespace: string, name: string): Promise<Status> {
  const raw = await client.get({ resource: IMAGE_SCANS, namespace, name });
  return { scans: [parseImageScan(raw)], gitRepos: [], raw: [raw] };
}

async function listAll(client: KubeClient, where: { readonly namespace?: string }): Promise<Status> {
  const [scans, gitRepos] = await Promise.all([
    list(client, IMAGE_SCANS, where),
    list(client, GIT_REPOS, where),
  ]);
  return {
    scans: scans.map(parseImageScan),
    gitRepos: gitRepos.map(parseGitRepo),
    raw: [...withKind(scans, 'ImageScan'), ...withKind(gitRepos, 'GitRepo')],
  };
}

async function list(
  client: KubeClient,
  resource: Resource,
  where: { readonly namespace?: string },
): Promise<object[]> {
  const items: object[] = [];
  let next: string | undefined;
  do {
    const page = (await client.list(
      { resource, ...where },
      { limit: 500, ...(next && { continue: next }) },
    )) as Page;
    items.push(...page.items);
    next = page.metadata.continue;
  } while (next);
  return items;
}

interface Page {
  readonly metadata: { readonly continue?: string };
  readonly items: readonly object[];
}

// In a list the server leaves out what the list itself says.
function withKind(items: readonly object[], kind: string): object[] {
  return items.map((item) => ({ apiVersion: API_VERSION, kind, ...item }));
}

async function print(found: Status, flags: StatusFlags, namespace: string): Promise<void> {
  const { output } = flags;
  if (output === 'json' || output === 'yaml') return printRaw(found, output);
  if (output === 'name') return write(names(found));
  if (found.raw.length === 0) {
    const place = flags.allNamespaces ? '' : ` in ${namespace} namespace`;
    process.stderr.write(`No resources found${place}.\n`);
    return;
  }
  const view: View = {
    allNamespaces: flags.allNamespaces ?? false,
    wide: output === 'wide',
    now: Date.now(),
  };
  const tables = [
    ...(found.scans.length > 0 ? [table(scanColumns(view), found.scans)] : []),
    ...(found.gitRepos.length > 0 ? [table(gitRepoColumns(view), found.gitRepos)] : []),
  ];
  write(tables.map((lines) => lines.join('\n')).join('\n\n'));
}

async function printRaw({ raw }: Status, output: 'json' | 'yaml'): Promise<void> {
  const object = raw.length === 1 ? raw[0] : { apiVersion: 'v1', kind: 'List', metadata: {}, items: raw };
  if (output === 'json') return write(JSON.stringify(object, undefined, 4));
  const { stringify } = await import('yaml');
  write(stringify(object, { lineWidth: 0 }).trimEnd());
}

function names({ scans, gitRepos }: Status): string {
  return [
    ...scans.map(({ metadata }) => `imagescan.fleetscan.io/${metadata.name}`),
    ...gitRepos.map(({ metadata }) => `gitrepo.fleetscan.io/${metadata.name}`),
  ].join('\n');
}

function write(text: string): void {
  if (text !== '') process.stdout.write(`${text}\n`);
}
