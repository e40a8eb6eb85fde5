import type { KubeClient } from '../../kube/client.ts';
import type { Estate, EstateScan } from './estate.ts';
import { applyAsFleet, fleetScanName, fleetStatus, overwriteStatusAsFleet } from './objects.ts';
import { startStorm, type Storm } from './storm.ts';

/** What Fleet's controllers of GitRepos wrote last to one. */
export interface FleetsWords {
  readonly commit: string;
  readonly observedGeneration: number;
  readonly updateGeneration: number;
  readonly desiredReadyClusters: number;
  readonly gitJobStatus: string;
  readonly condition: object;
}

/** A condition on ImageScans that neither image scan nor we know. */
const FOREIGN = 'Mirrored';
const WRITERS = 2;
const MAKERS = 16;

/**
 * A Fleet that is at work beside us, with three of its habits: `fleet apply` replaces labels, annotations and spec of ImageScans; the
 * controllers of GitRepos write the whole status from what they read a round before; and so do the jobs of image scan that a
 * fleet-controller goes on with until it is restarted, with what they found themselves. Each takes one object after the other, as
 * fast as it can.
 */
export class FleetAtWork {
  readonly #client: KubeClient;
  readonly #estate: Estate;
  readonly #applied = new Map<EstateScan, string>();
  readonly #words = new Map<string, FleetsWords>();
  readonly #conditions = new Map<EstateScan, object>();
  readonly #snapshots = new Map<string, object>();
  #storms: readonly Storm[] = [];

  constructor(client: KubeClient, estate: Estate) {
    this.#client = client;
    this.#estate = estate;
  }

  start(): void {
    const { scans, gitRepos } = this.#estate;
    const withJobs = scans.filter((_, index) => index % 2 === 0);
    this.#storms = [
      ...this.#writers(scans, (scan, count) => this.#apply(scan, count)),
      ...this.#writers(gitRepos, (gitRepo, count) => this.#deploy(gitRepo, count)),
      ...this.#writers(withJobs, (scan, count) => this.#scan(scan, count)),
    ];
  }

  /** Settles when the last writes are over. @returns how many there were */
  async stop(): Promise<number> {
    const counts = await Promise.all(this.#storms.map((storm) => storm.stop()));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** The commit that a scan was last applied at. */
  commitOf(scan: EstateScan): string {
    return this.#applied.get(scan) ?? '';
  }

  wordsOn(gitRepo: string): FleetsWords | undefined {
    return this.#words.get(gitRepo);
  }

  conditionOn(scan: EstateScan): object | undefined {
    return this.#conditions.get(scan);
  }

  /** Makes all ImageScans, each once. */
  async applyAll(): Promise<void> {
    const scans = this.#estate.scans.values();
    const writer = async (): Promise<void> => {
      for (const scan of scans) await this.#apply(scan, 0);
    };
    await Promise.all(Array.from({ length: MAKERS }, writer));
  }

  async #apply(scan: EstateScan, count: number): Promise<void> {
    const commit = commitId(count);
    await applyAsFleet(this.#client, this.#estate.objectOf(scan, commit));
    this.#applied.set(scan, commit);
  }

  /** Some who take turns with the objects, each with objects of their own. */
  #writers<T>(objects: readonly T[], write: (object: T, count: number) => Promise<void>): Storm[] {
    return Array.from({ length: WRITERS }, (_, writer) => {
      const own = objects.filter((_object, index) => index % WRITERS === writer);
      return startStorm(async (count) => {
        const object = own[count % own.length];
        if (object !== undefined) await write(object, count);
      });
    });
  }

  async #deploy(gitRepo: string, count: number): Promise<void> {
    const named = { namespace: this.#estate.namespace, name: gitRepo };
    const before = this.#snapshots.get(gitRepo) ?? {};
    this.#snapshots.set(gitRepo, await fleetStatus(this.#client, 'GitRepo', named));
    const condition = fleetsCondition('Ready', `round ${count}`);
    const words = {
      commit: commitId(count),
      observedGeneration: 1,
      updateGeneration: count,
      desiredReadyClusters: count,
      gitJobStatus: 'Current',
    };
    const conditions = [...othersIn(before, 'Ready'), condition];
    await overwriteStatusAsFleet(this.#client, 'GitRepo', named, { ...before, ...words, conditions });
    this.#words.set(gitRepo, { ...words, condition });
  }

  async #scan(scan: EstateScan, count: number): Promise<void> {
    const { namespace } = this.#estate;
    const named = fleetScanName({ namespace, gitRepo: scan.gitRepo, index: scan.index });
    const { image, tag, digest } = this.#estate.valueOf(scan);
    const before = await fleetStatus(this.#client, 'ImageScan', named);
    const condition = fleetsCondition(FOREIGN, `round ${count}`);
    await overwriteStatusAsFleet(this.#client, 'ImageScan', named, {
      ...before,
      lastScanTime: seconds(),
      canonicalImageName: image,
      latestTag: tag,
      latestImage: `${image}:${tag}`,
      latestDigest: digest,
      conditions: [...othersIn(before, FOREIGN), condition],
    });
    this.#conditions.set(scan, condition);
  }
}

function othersIn(status: object, type: string): unknown[] {
  const conditions = 'conditions' in status && Array.isArray(status.conditions) ? status.conditions : [];
  return conditions.filter((each: { type?: unknown }) => each.type !== type);
}

function fleetsCondition(type: string, message: string): object {
  return { type, status: 'True', lastUpdateTime: seconds(), message };
}

function seconds(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, 'Z');
}

function commitId(count: number): string {
  return String(count).padStart(40, '0');
}
