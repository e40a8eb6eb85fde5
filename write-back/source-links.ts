import type { HostProvider } from '../git/hosts/host.ts';
import type { ImageLabels } from '../registry/labels.ts';

/** A link, whose text is ours and whose URL is made of parts that were checked. */
export interface Link {
  readonly text: string;
  readonly url: string;
}

/** The hosts whose URLs are known, and no others by a likeness of their names: anybody may register gitlab.example. */
const HOSTS: ReadonlyMap<string, HostProvider> = new Map([
  ['github.com', 'GitHub'],
  ['gitlab.com', 'GitLab'],
  ['codeberg.org', 'Gitea'],
  ['gitea.com', 'Gitea'],
  ['bitbucket.org', 'Bitbucket'],
]);

/** How each writes the page of a commit, and that of what lies between two, below the repository's own URL. */
const PAGES: Readonly<
  Record<HostProvider, { commit: (at: string) => string; compare: (from: string, to: string) => string }>
> = {
  GitHub: { commit: (at) => `commit/${at}`, compare: (from, to) => `compare/${from}...${to}` },
  GitLab: { commit: (at) => `-/commit/${at}`, compare: (from, to) => `-/compare/${from}...${to}` },
  Gitea: { commit: (at) => `commit/${at}`, compare: (from, to) => `compare/${from}...${to}` },
  Bitbucket: { commit: (at) => `commits/${at}`, compare: (from, to) => `branches/compare/${to}%0D${from}` },
};

const REVISION = /^[0-9a-f]{7,64}$/;
// What names of users, groups and repositories are made of: nothing that Markdown or a URL would read otherwise.
const PATH = /^(?:\/[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9_-])?){2,10}$/;

/**
 * Where a person sees what an image was built from: what changed since the old one, the commit, or the repository.
 *
 * @param own a host that this repository itself is at, by its name and port, which is known to be what it is said to be
 * @returns undefined where the labels name none, or no host that is known, or no https
 */
export function sourceLink(
  labels: ImageLabels | undefined,
  before: ImageLabels | undefined,
  own: ReadonlyMap<string, HostProvider> = new Map(),
): Link | undefined {
  const repository = repositoryUrl(labels, own);
  if (repository === undefined) return undefined;
  const { url, pages } = repository;
  const revision = revisionOf(labels);
  if (revision === undefined) return { text: 'source', url };
  const earlier = repositoryUrl(before, own)?.url === url ? revisionOf(before) : undefined;
  if (earlier === undefined || earlier === revision)
    return { text: 'commit', url: `${url}/${pages.commit(revision)}` };
  return { text: 'changes', url: `${url}/${pages.compare(earlier, revision)}` };
}

function repositoryUrl(labels: ImageLabels | undefined, own: ReadonlyMap<string, HostProvider>) {
  const parsed = URL.parse(labels?.source ?? '');
  if (parsed === null || parsed.protocol !== 'https:' || parsed.username !== '' || parsed.password !== '')
    return undefined;
  const provider = own.get(parsed.host) ?? HOSTS.get(parsed.host);
  const path = parsed.pathname.replace(/\/$/, '').replace(/\.git$/, '');
  if (provider === undefined || !PATH.test(path)) return undefined;
  return { url: `https://${parsed.host}${path}`, pages: PAGES[provider] };
}

function revisionOf(labels: ImageLabels | undefined): string | undefined {
  const revision = labels?.revision;
  return revision !== undefined && REVISION.test(revision) ? revision : undefined;
}
