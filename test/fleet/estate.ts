import type { KubeClient } from '../../kube/client.ts';
import { blobId } from '../../git/blobs.ts';
import { git } from '../control-plane/git-commands.ts';
import type { GitServer } from '../control-plane/git-server.ts';
import type { FakeRegistry } from '../fakes/registry.ts';
import { applyAsFleet, type FleetObject, fleetGitRepo, fleetImageScan } from './objects.ts';

/** A marker of each form, the scan that it names, and what Git says of it. */
const MARKERS: readonly [tagName: string, form: string, text: (value: Value) => string][] = [
  ['web', 'web', ({ image, tag }) => `${image}:${tag}`],
  ['api', 'api:tag', ({ tag }) => tag],
  ['job', 'job:name', ({ image }) => image],
  ['db', 'db:digest', ({ image, tag, digest }) => `${image}:${tag}@${digest}`],
];
const TAGS = Array.from({ length: 20 }, (_, minor) => `1.${minor}.0`);

/** What an image is at. */
export interface Value {
  readonly image: string;
  readonly tag: string;
  readonly digest: string;
}

/** How large an {@link Estate} is, and how often it is looked at. */
export interface EstateSize {
  readonly gitRepos: number;
  /** Those that are on the server: each holds the paths of many GitRepos on one branch, so that they push in each other's way. */
  readonly repositories: number;
  /** Of scans and of GitRepos alike, in seconds. */
  readonly intervalS: number;
}

/** An ImageScan of the estate, and its value by the registry. */
export interface EstateScan {
  readonly gitRepo: string;
  readonly index: number;
  readonly tagName: string;
  readonly image: string;
}

/** What the estate is spread over. */
export interface Servers {
  readonly registries: readonly FakeRegistry[];
  readonly gits: readonly GitServer[];
}

/** What people keep in Fleet: GitRepos, four ImageScans for each, the images of these, and the files that name them, all in one namespace. */
export class Estate {
  readonly namespace = 'fleet-default';
  readonly gitRepos: readonly string[];
  readonly scans: readonly EstateScan[];
  readonly #servers: Servers;
  readonly #size: EstateSize;
  readonly #values = new Map<string, Value>();
  readonly #pushers: ReadonlyMap<string, FakeRegistry>;
  #directories: readonly string[] = [];

  constructor(servers: Servers, size: EstateSize) {
    this.#servers = servers;
    this.#pushers = new Map(servers.registries.map((registry) => [registry.host, registry]));
    this.#size = size;
    this.gitRepos = Array.from({ length: size.gitRepos }, (_, index) => `apps-${index}`);
    this.scans = this.gitRepos.flatMap((gitRepo) =>
      MARKERS.map(([tagName], index) => ({
        gitRepo,
        index,
        tagName,
        image: this.#imageOf(gitRepo, tagName),
      })),
    );
    for (const tag of TAGS) this.release(tag);
  }

  /** Pushes a tag, newer than all so far, of the images of each so many-th GitRepo. */
  release(tag: string, nth = 1): void {
    const released = new Set(this.gitRepos.filter((_, index) => index % nth === 0));
    for (const { gitRepo, image } of this.scans) {
      if (!released.has(gitRepo)) continue;
      const [host = '', ...path] = image.split('/');
      const digest = this.#pushers.get(host)?.push(path.join('/'), tag) ?? '';
      this.#values.set(image, { image, tag, digest });
    }
  }

  valueOf({ image }: Pick<EstateScan, 'image'>): Value {
    const value = this.#values.get(image);
    if (value === undefined) throw new Error(`${image} is none of the estate`);
    return value;
  }

  /** Makes the repositories, and the GitRepos; the ImageScans are made by `fleet apply`. */
  async create(client: KubeClient): Promise<void> {
    const made = Array.from({ length: this.#size.repositories }, (_, index) => {
      const files = this.#filesOf(index).map(([file, gitRepo]) => [file, this.#text(gitRepo, 'former')]);
      return this.#gitOf(index).createRepository(`shared-${index}`, Object.fromEntries(files));
    });
    this.#directories = (await Promise.all(made)).map(({ directory }) => directory);
    await applyAsFleet(client, ...this.gitRepos.map((name, index) => this.#gitRepo(name, index)));
  }

  /** The object that `fleet apply` makes of a scan at a commit. */
  objectOf({ gitRepo, index, tagName, image }: EstateScan, commit: string): FleetObject {
    return fleetImageScan(
      { namespace: this.namespace, gitRepo, index, commit },
      { tagName, image, interval: `${this.#size.intervalS}s`, policy: { semver: { range: '*' } } },
    );
  }

  /** The files on the server, as `file of a GitRepo`, that do not say what is in force by the registry. */
  async staleFiles(): Promise<string[]> {
    const stale = this.#directories.map(async (cwd, index) => {
      const { stdout } = await git(['ls-tree', '-r', '--format=%(path) %(objectname)', 'main'], { cwd });
      const stored = new Set(stdout.split('\n'));
      return this.#filesOf(index).filter(([file, gitRepo]) => {
        const right = Buffer.from(this.#text(gitRepo, 'current'));
        return !stored.has(`${file} ${blobId(right, 'sha1')}`);
      });
    });
    return (await Promise.all(stale)).flat().map(([file, gitRepo]) => `${file} of ${gitRepo}`);
  }

  /** The commits on all branches together. */
  async commits(): Promise<number> {
    const counts = this.#directories.map(async (cwd) =>
      Number((await git(['rev-list', '--count', 'main'], { cwd })).stdout),
    );
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
  }

  #filesOf(repository: number): [file: string, gitRepo: string][] {
    return this.gitRepos
      .filter((_, index) => index % this.#size.repositories === repository)
      .map((gitRepo) => [`${gitRepo}/images.yaml`, gitRepo]);
  }

  #text(gitRepo: string, what: 'former' | 'current'): string {
    const lines = MARKERS.map(([tagName, form, text]) => {
      const current = this.valueOf({ image: this.#imageOf(gitRepo, tagName) });
      const former = { ...current, tag: '0.9.0', digest: `sha256:${'0'.repeat(64)}` };
      return `${tagName}: ${text(what === 'former' ? former : current)} # {"$imagescan": "${form}"}`;
    });
    return `# The images of ${gitRepo}.\n${lines.join('\n')}\n`;
  }

  #imageOf(gitRepo: string, tagName: string): string {
    const { host } = one(this.#servers.registries, Number(gitRepo.slice(gitRepo.lastIndexOf('-') + 1)));
    return `${host}/team/${gitRepo}-${tagName}`;
  }

  #gitOf(repository: number): GitServer {
    return one(this.#servers.gits, repository);
  }

  #gitRepo(name: string, index: number): FleetObject {
    const repository = index % this.#size.repositories;
    return fleetGitRepo(
      { namespace: this.namespace, name },
      {
        repo: `${this.#gitOf(repository).url}/shared-${repository}.git`,
        branch: 'main',
        paths: [name],
        clientSecretName: 'git',
        imageScanInterval: `${this.#size.intervalS}s`,
        imageScanCommit: { authorName: 'Image Bot', authorEmail: 'bot@example.com' },
      },
    );
  }
}

function one<T>(all: readonly T[], index: number): T {
  const chosen = all[index % all.length];
  if (chosen === undefined) throw new Error('there is none');
  return chosen;
}
