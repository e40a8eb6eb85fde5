import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { OWN_SHARD, SHARD_LABEL } from '../../core/fleet-shard.ts';
import { connect, type KubeClient } from '../../kube/client.ts';
import { listAll } from '../../kube/list.ts';
import { FLEET_GIT_REPOS, FLEET_IMAGE_SCANS, type Resource } from '../../kube/resource.ts';
import { type Cluster, startCluster } from '../control-plane/cluster.ts';
import { type GitServer, startGitServer } from '../control-plane/git-server.ts';
import { freePort, temporaryFolder } from '../control-plane/processes.ts';
import { bundlePrograms, SHIPPED_ENV } from '../e2e/as-shipped.ts';
import { installProduct, type Product, type Program } from '../e2e/product.ts';
import { namespaceObject, put, secret } from '../e2e/reconciling.ts';
import { type FakeRegistry, startFakeRegistry } from '../fakes/registry.ts';
import { waitFor } from '../wait.ts';
import { Estate, type EstateScan } from './estate.ts';
import { FleetAtWork } from './fleet-at-work.ts';
import { installFleetKinds } from './kinds.ts';
import { fleetScanName } from './objects.ts';

const IS_LONG = process.env['SOAK'] === '1';
const SIZE = IS_LONG
  ? { gitRepos: 500, repositories: 10, intervalS: 300 }
  : { gitRepos: 20, repositories: 2, intervalS: 4 };
/** Registries, and Git servers. */
const HOSTS = 3;
/** Each so many-th GitRepo gets new tags in the storm. */
const RELEASED = IS_LONG ? 5 : 1;
/** How many intervals are watched once all is as it should be. */
const INTERVALS = IS_LONG ? 1 : 2;
const PATIENCE = { timeoutMs: IS_LONG ? 1_800_000 : 120_000, everyMs: IS_LONG ? 3000 : 250 };
const MIB = 1024 * 1024;
/** For 10,000 ImageScans. */
const MAX_MIB = { reconciler: 300, webhook: 150 };
/** Of one `ls-remote`: refused without the credential, the capabilities, and the heads. */
const REQUESTS = 3;
const TAKE_OVER = ['--fleet-takeover=take-over'];
const PUSHER = { username: 'fleet', password: 'a password' };

const stored = z.looseObject({
  metadata: z.looseObject({
    name: z.string(),
    labels: z.record(z.string(), z.string()).default({}),
    annotations: z.record(z.string(), z.string()).default({}),
  }),
  spec: z.unknown(),
  status: z.looseObject({ conditions: z.array(z.looseObject({ type: z.string() })).default([]) }).optional(),
});
type Stored = z.infer<typeof stored>;

describe(`${SIZE.gitRepos} GitRepos of Fleet with ${SIZE.gitRepos * 4} ImageScans`, () => {
  let cluster: Cluster;
  let client: KubeClient;
  let product: Product;
  let registries: FakeRegistry[];
  let gits: GitServer[];
  let estate: Estate;
  let fleet: FleetAtWork;
  let reconciler: Program;
  const troubles: string[] = [];

  before(async () => {
    const bundling = bundlePrograms();
    cluster = await startCluster();
    registries = await Promise.all(Array.from({ length: HOSTS }, () => startFakeRegistry()));
    gits = await Promise.all(Array.from({ length: HOSTS }, () => startGitServer({ credential: PUSHER })));
    const bundles = await bundling;
    client = await connect({ kubeconfig: cluster.kubeconfig });
    const values = ['fleet.takeover=take-over'];
    product = await installProduct(cluster, { webhookPort: await freePort(), bundles, values });
    await installFleetKinds(client);
    estate = new Estate({ registries, gits }, SIZE);
    fleet = new FleetAtWork(client, estate);
    const { namespace } = estate;
    const credential = secret({ namespace, name: 'git' }, 'kubernetes.io/basic-auth', PUSHER);
    await put(client, namespaceObject(namespace), credential);
    await estate.create(client);
    await fleet.applyAll();
  });

  after(async () => {
    await fleet?.stop();
    await product?.stop();
    await client?.close();
    await Promise.all([cluster, ...(registries ?? []), ...(gits ?? [])].map((part) => part?.stop()));
  });

  /** Starts the reconciler as it is shipped. No webhook runs, so that the labels that Fleet wipes are the reconciler's to mend. */
  async function startReconciler(): Promise<Program> {
    const settings = `${temporaryFolder('settings')}/registries.yaml`;
    const fast = registries.map(({ host }) => ({ host, plainHTTP: true, requestsPerSecond: 500 }));
    await writeFile(settings, JSON.stringify({ registries: fast }));
    return product.startReconciler({
      args: [...TAKE_OVER, '--registries-config', settings],
      env: SHIPPED_ENV.reconciler,
      onLine: (line) => {
        if (isTrouble(line)) troubles.push(line);
      },
    });
  }

  async function objects(resource: Resource): Promise<Map<string, Stored>> {
    const path = { resource, namespace: estate.namespace };
    const { items } = await listAll(client, path, { project: (raw) => stored.parse(raw) });
    return new Map(items.map((item) => [item.metadata.name, item]));
  }

  const requestsToGit = (): number => gits.reduce((sum, each) => sum + each.requests().length, 0);

  const untilWritten = (): Promise<true> => until('Git to say what is in force', () => estate.staleFiles());

  /** Waits until a list of faults is empty, and tells the first of them when it is not. */
  async function until(what: string, faults: () => Promise<readonly string[]>): Promise<true> {
    let last: readonly string[] = [];
    try {
      return await waitFor(
        what,
        async () => {
          last = await faults();
          return last.length === 0 ? true : undefined;
        },
        PATIENCE,
      );
    } catch (error) {
      const sample = [...last.slice(0, 3), ...troubles.slice(-3)].join('\n');
      throw new Error(`${String(error)}; ${last.length} of them:\n${sample}`, { cause: error });
    }
  }

  /** What of ImageScans is not as it should be: of ours the value, the conditions and the label, of Fleet's all that it wrote. */
  async function scanFaults(): Promise<string[]> {
    const all = await objects(FLEET_IMAGE_SCANS);
    return estate.scans.flatMap((scan) => {
      const { namespace } = estate;
      const { name } = fleetScanName({ namespace, gitRepo: scan.gitRepo, index: scan.index });
      return faultsOf(name, all.get(name), wantedScan(scan));
    });
  }

  function wantedScan(scan: EstateScan): Wanted {
    const { image, tag, digest } = estate.valueOf(scan);
    const { metadata, spec } = estate.objectOf(scan, fleet.commitOf(scan) ?? '');
    const foreign = fleet.conditionOn(scan);
    return {
      labels: { ...metadata.labels, [SHARD_LABEL]: OWN_SHARD },
      annotations: metadata.annotations,
      spec,
      status: {
        canonicalImageName: image,
        latestTag: tag,
        latestImage: `${image}:${tag}`,
        latestDigest: digest,
        observedGeneration: 1,
      },
      conditions: [
        { type: 'ImageScanned', status: 'True' },
        { type: 'Ready', status: 'True' },
        ...(foreign ? [foreign] : []),
      ],
    };
  }

  async function gitRepoFaults(): Promise<string[]> {
    const all = await objects(FLEET_GIT_REPOS);
    return estate.gitRepos.flatMap((name) => {
      const { condition, ...status } = fleet.wordsOn(name) ?? {};
      const conditions = [{ type: 'ImageSynced', status: 'True' }, ...(condition ? [condition] : [])];
      const faults = faultsOf(name, all.get(name), { status, conditions });
      const isTimed = all.get(name)?.status?.['lastSyncedImageScanTime'] !== undefined;
      return isTimed ? faults : [...faults, `${name}: no lastSyncedImageScanTime`];
    });
  }

  it('are scanned and written back while Fleet rewrites labels and statuses, and nothing is lost', async (context) => {
    const begun = performance.now();
    const tell = (what: string): void =>
      context.diagnostic(`${what} after ${Math.round((performance.now() - begun) / 1000)} s`);
    fleet.start();
    reconciler = await startReconciler();
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
    assert.deepEqual(troubles, []);
  });

  it('cost little when nothing is new, in memory and in requests', async (context) => {
    const webhook = await product.startWebhook({ args: TAKE_OVER, env: SHIPPED_ENV.webhook });
    await untilWritten();
    const [commits, requests] = [await estate.commits(), requestsToGit()];
    const end = performance.now() + INTERVALS * SIZE.intervalS * 1000;
    await waitFor('the intervals to pass', () => (performance.now() >= end ? true : undefined), {
      timeoutMs: INTERVALS * SIZE.intervalS * 1000 + 10_000,
      everyMs: 500,
    });
    assert.deepEqual(
      [...(await estate.staleFiles()), ...(await scanFaults()), ...(await gitRepoFaults())],
      [],
    );
    assert.equal(await estate.commits(), commits);
    for (const [name, program] of Object.entries({ reconciler, webhook })) {
      const resident = (await program.metric('process_resident_memory_bytes')) / MIB;
      const heap = (await program.metric('nodejs_heap_size_used_bytes')) / MIB;
      context.diagnostic(`${name}: ${Math.round(resident)} MiB resident, ${Math.round(heap)} MiB of heap`);
      assert.ok(resident <= MAX_MIB[name === 'webhook' ? name : 'reconciler'], `${name}: ${resident} MiB`);
    }
    const perGitRepo = (requestsToGit() - requests) / estate.gitRepos.length;
    context.diagnostic(`${perGitRepo} requests to Git for a GitRepo in ${INTERVALS} intervals`);
    assert.ok(perGitRepo <= REQUESTS * (INTERVALS + 1), 'Git is asked more than once in an interval');
    assert.deepEqual(troubles, []);
  });
});

/** Is a line of the log an error or a warning? A marker of a scan that has no value yet is warned of, and so is a watch that ended. */
function isTrouble(line: string): boolean {
  const isWarning = /"level":"(?:warn|error|fatal)"/.test(line) || !line.startsWith('{');
  return isWarning && !/"msg":"(?:write-back|a watch failed; it is resumed)"/.test(line);
}

interface Wanted {
  readonly labels?: object | undefined;
  readonly annotations?: object | undefined;
  readonly spec?: unknown;
  /** Fields of it. */
  readonly status: object;
  /** Some of them, and fields of each. */
  readonly conditions: readonly object[];
}

/** Says an object what is wanted: labels, annotations and spec as a whole, of the status what is named? */
function faultsOf(
  name: string,
  object: Stored | undefined,
  { conditions, status, ...whole }: Wanted,
): string[] {
  if (object === undefined) return [`${name} is gone`];
  const { metadata, spec } = object;
  const has = { labels: metadata.labels, annotations: metadata.annotations, spec };
  const said = object.status ?? { conditions: [] };
  const isRight =
    includes(has, whole) &&
    includes(said, status) &&
    conditions.every((wanted) => said.conditions.some((each) => includes(each, wanted)));
  if (isRight) return [];
  const wants = { ...whole, status: { ...status, conditions } };
  return [`${name}: ${JSON.stringify({ ...has, status: said })} is not as ${JSON.stringify(wants)}`];
}

function includes(object: Readonly<Record<string, unknown>>, wanted: object): boolean {
  return Object.entries(wanted).every(([key, value]) => isDeepStrictEqual(object[key], value));
}
