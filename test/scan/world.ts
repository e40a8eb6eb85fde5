import { explain } from '../../core/policy/explain.ts';
import type { RegistryClient } from '../../registry/client.ts';
import { RegistryError } from '../../registry/errors.ts';
import type { Access } from '../../registry/request.ts';
import { ScanMemory } from '../../scan/memory.ts';
import { type ScanDependencies, scanImage } from '../../scan/scan.ts';
import { imageScan } from '../reconciler/samples.ts';

type Scanned = Awaited<ReturnType<typeof scanImage>>;

/** What a tag names in a {@link World}. */
export interface Content {
  readonly digest?: string;
  /** What it is, where that is no image. */
  readonly what?: string;
  /** Milliseconds since the epoch. */
  readonly created?: number;
  /** The registry lists the tag and has no manifest for it. */
  readonly isMissing?: boolean;
  /** The digest that the registry tells in its headers, under which it has nothing. */
  readonly wrongDigest?: string;
  /** It is there, though the list does not have it. */
  readonly isUnlisted?: boolean;
}

/** A registry in memory that does what it is told, and keeps what it was asked. */
export class World {
  tags: Record<string, Content>;
  /** What the list calls give, one after the other, before the tags themselves. */
  lists: string[][] = [];
  readonly calls: (readonly [call: string, of: string, access: Access])[] = [];
  readonly memory = new ScanMemory();

  constructor(tags: Record<string, Content> | readonly string[]) {
    this.tags = Array.isArray(tags)
      ? Object.fromEntries(tags.map((tag: string) => [tag, {}]))
      : (tags as Record<string, Content>);
  }

  /** The calls as words: `list web`, `resolve web:1.0.0`. */
  get asked(): string[] {
    return this.calls.map(([call, of]) => `${call} ${of}`);
  }

  readonly client: RegistryClient = {
    listTags: async ({ repository }, access) => {
      this.calls.push(['list', repository, access]);
      const listed = Object.keys(this.tags).filter((tag) => !this.tags[tag]?.isUnlisted);
      const tags = this.lists.shift() ?? listed;
      return { tags, revision: JSON.stringify(tags) };
    },
    resolve: async ({ repository, tag }, access) => {
      this.calls.push(['resolve', `${repository}:${tag}`, access]);
      const content = this.tags[tag];
      if (content === undefined || content.isMissing)
        throw new RegistryError('NotFound', `no ${repository}:${tag}`);
      return { digest: content.wrongDigest ?? content.digest ?? digestOf(tag) };
    },
    resolveByContent: async ({ repository, tag }, access) => {
      this.calls.push(['read', `${repository}:${tag}`, access]);
      return { digest: this.tags[tag]?.digest ?? digestOf(tag) };
    },
    describe: async ({ repository, digest }, access) => {
      this.calls.push(['describe', `${repository}@${digest}`, access]);
      if (Object.values(this.tags).some(({ wrongDigest }) => wrongDigest === digest))
        throw new RegistryError('NotFound', `no ${digest}`);
      const { what } = this.#contentOf(digest);
      return what === undefined ? { kind: 'index', platforms: ['linux/amd64'] } : { kind: 'other', what };
    },
    created: async ({ repository, digest }, access) => {
      this.calls.push(['created', `${repository}@${digest}`, access]);
      return this.#contentOf(digest).created;
    },
    labels: async () => ({}),
    amd64Digest: async () => undefined,
    close: async () => {},
  };

  /** Scans an image with this spec. */
  async scan(
    spec: object,
    { status, ...dependencies }: { status?: object } & Partial<ScanDependencies> = {},
  ): Promise<Scanned> {
    return scanImage(imageScan({ spec, ...(status && { status }) }), {
      registry: this.client,
      pullAccess: async () => ({ credentials: [], notes: [] }),
      memory: this.memory,
      explain,
      signal: new AbortController().signal,
      ...dependencies,
    });
  }

  #contentOf(digest: string): Content {
    const found = Object.entries(this.tags).find(
      ([tag, content]) => (content.digest ?? digestOf(tag)) === digest,
    );
    return found?.[1] ?? {};
  }
}

/** The digest of a tag that has none of its own. */
export function digestOf(tag: string): string {
  return `sha256:${Buffer.from(tag).toString('hex').padEnd(64, '0')}`;
}

/** The status of a scan of `registry.example/web` that put these tags in force, the newest first. */
export function inForce(...tags: readonly (readonly [tag: string, digest?: string])[]): object {
  const history = tags.map(([tag, digest = digestOf(tag)], index) => ({
    tag,
    digest,
    image: `registry.example/web:${tag}`,
    since: new Date(Date.UTC(2026, 0, 10 - index)).toISOString(),
    cause: 'Scan',
  }));
  const [latest] = history;
  return {
    observedGeneration: 1,
    canonicalImageName: 'registry.example/web',
    latestTag: latest?.tag,
    latestImage: latest?.image,
    latestDigest: latest?.digest,
    history,
  };
}

/** `Reason: message` of a scan that failed, else the tag. */
export function told(result: Scanned): string {
  return result.kind === 'failed' ? `${result.reason}: ${result.message}` : result.value.tag;
}
