import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { z } from 'zod';
import { OWN_SHARD, SHARD_LABEL } from '../../core/fleet-shard.ts';
import { listAll } from '../../kube/list.ts';
import {
  EVENTS,
  FLEET_GIT_REPOS,
  FLEET_IMAGE_SCANS,
  IMAGE_SCANS,
  type Resource,
} from '../../kube/resource.ts';
import type { Program } from '../e2e/product.ts';
import { waitFor } from '../wait.ts';
import type { EstateScan } from './estate.ts';
import { faultsOf, type Stored, storedObjects, type Wanted } from './faults.ts';
import { removeFleetKind } from './kinds.ts';
import { ManyBench, tellMemory } from './many-bench.ts';
import { fleetScanName } from './objects.ts';

const IS_LONG = process.env['SOAK'] === '1';
const SIZE = IS_LONG
  ? { gitRepos: 500, repositories: 10, intervalS: 300 }
  : { gitRepos: 20, repositories: 2, intervalS: 4 };
/** Each so many-th GitRepo gets new tags in the storm. */
const RELEASED = IS_LONG ? 5 : 1;
/** How many intervals are watched once all is as it should be. */
const INTERVALS = IS_LONG ? 1 : 2;
const PATIENCE = { timeoutMs: IS_LONG ? 1_800_000 : 120_000, everyMs: IS_LONG ? 3000 : 250 };
/** Of one `ls-remote`: refused without the credential, the capabilities, and the heads. */
const REQUESTS = 3;

const event = z.object({
  reason: z.string().optional(),
  regarding: z.object({ kind: z.string().optional(), name: z.string().optional() }),
});

describe(`${SIZE.gitRepos} GitRepos of Fleet with ${SIZE.gitRepos * 4} ImageScans`, () => {
  let bench: ManyBench;
  let reconciler: Program;

  before(async () => {
    bench = await ManyBench.start(SIZE);
  });

  after(() => bench?.stop());

  async function objects(resource: Resource): Promise<Map<string, Stored>> {
    const all = await storedObjects(bench.client, { resource, namespace: bench.estate.namespace });
    return new Map(all.map((each) => [each.metadata.name, each]));
  }

  /** Waits until a list of faults is empty, and tells the first of them when it is not. */
  async function until(what: string, faults: () => Promise<readonly string[]>): Promise<void> {
    let last: readonly string[] = [];
    try {
      await waitFor(
        what,
        async () => {
          last = await faults();
          return last.length === 0 ? true : undefined;
        },
        PATIENCE,
      );
    } catch (error) {
      const sample = [...last.slice(0, 3), ...bench.troubles.slice(-3)].join('\n');
      throw new Error(`${String(error)}; ${last.length} faults:\n${sample}`, { cause: error });
    }
  }

  const untilWritten = (): Promise<void> =>
    until('Git to say what is in force', () => bench.estate.staleFiles());

  /** What of ImageScans is not as it should be: of ours the value, the conditions and the label, of Fleet's all that it wrote. */
  async function scanFaults(): Promise<string[]> {
    const { namespace, scans } = bench.estate;
    const all = await objects(FLEET_IMAGE_SCANS);
    return scans.flatMap((scan) => {
      const { name } = fleetScanName({ namespace, gitRepo: scan.gitRepo, index: scan.index });
      return faultsOf(name, all.get(name), wantedScan(scan));
    });
  }

  function wantedScan(scan: EstateScan): Wanted {
    const { estate, fleet } = bench;
    const { image, tag, digest } = estate.valueOf(scan);
    const { metadata, spec } = estate.objectOf(scan, fleet.commitOf(scan));
    const { annotations = {} } = metadata;
    const foreign = fleet.conditionOn(scan);
    const latest = { latestTag: tag, latestImage: `${image}:${tag}`, latestDigest: digest };
    return {
      labels: { ...metadata.labels, [SHARD_LABEL]: OWN_SHARD },
      annotations,
      spec,
      status: { canonicalImageName: image, ...latest, observedGeneration: 1 },
      conditions: [
        { type: 'ImageScanned', status: 'True' },
        { type: 'Ready', status: 'True' },
        ...(foreign ? [foreign] : []),
      ],
    };
  }

  async function gitRepoFaults(): Promise<string[]> {
    const all = await objects(FLEET_GIT_REPOS);
    return bench.estate.gitRepos.flatMap((name) => {
      const { condition, ...status } = bench.fleet.wordsOn(name) ?? {};
      const conditions = [{ type: 'ImageSynced', status: 'True' }, ...(condition ? [condition] : [])];
      const faults = faultsOf(name, all.get(name), { status, conditions });
      const isTimed = all.get(name)?.status['lastSyncedImageScanTime'] !== undefined;
      return isTimed ? faults : [...faults, `${name}: no lastSyncedImageScanTime`];
    });
  }

  it('are scanned and written back while Fleet rewrites labels and statuses, and nothing is lost', async (context) => {
    const { estate, fleet } = bench;
    const begun = performance.now();
    const tell = (what: string): void =>
      context.diagnostic(`${what} after ${Math.round((performance.now() - begun) / 1000)} s`);
    fleet.start();
    // No webhook runs, so that the labels that Fleet wipes are the reconciler's to mend.
    reconciler = await bench.startReconciler();
    await untilWritten();
    tell('all was written');
    estate.release('2.0.0', RELEASED);
    await untilWritten();
    tell('the new tags were written');
    const writes = await fleet.stop();
    await until('ImageScans to be as they should', scanFaults);
    await until('GitRepos to be as they should', gitRepoFaults);
    tell(`all was told, after ${writes} writes of Fleet,`);
    assert.ok(writes > 2 * estate.scans.length, `it was no storm: ${writes} writes`);
    assert.ok((await reconciler.metric('fleetscan_shard_labels_total', { result: 'taken' })) > 0);
    assert.deepEqual(bench.troubles, []);
  });

  it('cost little when nothing is new, in memory and in requests', async (context) => {
    const { estate } = bench;
    const webhook = await bench.startWebhook();
    await untilWritten();
    const [commits, requests] = [await estate.commits(), bench.requestsToGit()];
    const watchedMs = INTERVALS * SIZE.intervalS * 1000;
    const end = performance.now() + watchedMs;
    await waitFor('the intervals to pass', () => (performance.now() >= end ? true : undefined), {
      timeoutMs: watchedMs + 10_000,
      everyMs: 500,
    });
    const faults = [await estate.staleFiles(), await scanFaults(), await gitRepoFaults()];
    assert.deepEqual(faults.flat(), []);
    assert.equal(await estate.commits(), commits);
    await tellMemory(context, 'reconciler', reconciler);
    await tellMemory(context, 'webhook', webhook);
    const perGitRepo = (bench.requestsToGit() - requests) / estate.gitRepos.length;
    context.diagnostic(`${perGitRepo} requests to Git for a GitRepo in ${INTERVALS} intervals`);
    assert.ok(perGitRepo <= REQUESTS * (INTERVALS + 1), 'Git is asked more than once in an interval');
    assert.deepEqual(bench.troubles, []);
  });

  it("keep their values when Fleet's kind goes, and an Event on each GitRepo tells of it", async (context) => {
    const { client, estate } = bench;
    const begun = performance.now();
    await removeFleetKind(client, 'imagescans');
    await until('one of ours in the place of each', adoptionFaults);
    context.diagnostic(`all were adopted after ${Math.round((performance.now() - begun) / 1000)} s`);
    await until('an Event on each GitRepo', async () => {
      const told = await toldOfAdoption();
      return estate.gitRepos.filter((gitRepo) => !told.includes(gitRepo));
    });
    const events = (await toldOfAdoption()).length;
    assert.ok(events <= estate.scans.length / 2, `${events} Events`);
    await tellMemory(context, 'reconciler', reconciler);
    assert.deepEqual(bench.troubles, []);
  });

  async function adoptionFaults(): Promise<string[]> {
    const { estate } = bench;
    const nameOf = (gitRepo?: string, tagName?: string): string => `${gitRepo} ${tagName}`;
    const ours = [...(await objects(IMAGE_SCANS)).values()];
    const all = new Map(ours.map((each) => [nameOf(each.spec.gitrepoName, each.spec.tagName), each]));
    return estate.scans.flatMap((scan) => {
      const { tag, digest } = estate.valueOf(scan);
      const name = nameOf(scan.gitRepo, scan.tagName);
      const status = { latestTag: tag, latestDigest: digest };
      return faultsOf(name, all.get(name), { status, conditions: [{ type: 'Adopted', status: 'True' }] });
    });
  }

  /** The names of the GitRepos that have such an Event, once for each. */
  async function toldOfAdoption(): Promise<string[]> {
    const path = { resource: EVENTS, namespace: bench.estate.namespace };
    const { items } = await listAll(bench.client, path, { project: (raw) => event.parse(raw) });
    return items
      .filter(({ reason, regarding }) => reason === 'FleetKindRemoved' && regarding.kind === 'GitRepo')
      .map(({ regarding }) => regarding.name ?? '');
  }
});
