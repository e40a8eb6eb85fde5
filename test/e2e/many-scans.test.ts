import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { API_VERSION } from '../../kube/kinds/common.ts';
import { IMAGE_SCANS } from '../../kube/resource.ts';
import { temporaryFolder } from '../control-plane/processes.ts';
import {
  cutBody,
  type Fault,
  type FakeRegistry,
  hang,
  registryError,
  respondWith,
  startFakeRegistry,
} from '../fakes/registry.ts';
import { waitFor } from '../wait.ts';
import { conditionOf, readScan, type Reconciling, startReconciling } from './reconciling.ts';

const IS_LONG = process.env['SOAK'] === '1';
const SCANS = IS_LONG ? 1000 : 200;
const INTERVAL_MS = IS_LONG ? 30_000 : 8000;
/** How many intervals are watched once all have been scanned. */
const INTERVALS = 3;

/** What some of the repositories answer for ever, and the reason that their scans then tell. */
const FAILURES: readonly [reason: string, respond: Fault['respond']][] = [
  ['Timeout', hang],
  ['Timeout', hang],
  ['Timeout', hang],
  ['Unreachable', cutBody],
  ['Server', registryError(500, 'UNKNOWN')],
  ['Server', registryError(503, 'UNAVAILABLE')],
  ['Unauthorized', registryError(403, 'DENIED')],
  ['NotFound', registryError(404, 'NAME_UNKNOWN')],
  ['InvalidAnswer', respondWith(200, {}, '<html>')],
  ['InvalidAnswer', respondWith(418)],
];

let registry: FakeRegistry;
let bench: Reconciling;

before(async () => {
  registry = await startFakeRegistry();
  const settings = `${temporaryFolder('settings')}/registries.yaml`;
  const fast = { host: registry.host, plainHTTP: true, requestsPerSecond: 500 };
  await writeFile(settings, JSON.stringify({ registries: [fast] }));
  bench = await startReconciling({ args: ['--registries-config', settings] });
});

after(async () => {
  await bench?.stop();
  await registry?.stop();
});

const name = (index: number): string => `app-${index}`;
const isFailing = (index: number): boolean => index < FAILURES.length;
const listings = (index: number): number =>
  registry.seen(new RegExp(`^/v2/${name(index)}/tags/list$`)).length;

test(`${SCANS} scans on one registry keep their interval while ${FAILURES.length} of them fail`, async () => {
  for (let index = 0; index < SCANS; index++) registry.push(name(index), '1.0.0');
  for (const [index, [, respond]] of FAILURES.entries())
    registry.fail({ path: new RegExp(`^/v2/${name(index)}/`), respond });
  for (let index = 0; index < SCANS; index++) await create(index);
  const healthy = Array.from({ length: SCANS }, (_, index) => index).filter((index) => !isFailing(index));
  await waitFor(
    'all to be scanned',
    () => (healthy.every((index) => listings(index) > 0) ? true : undefined),
    {
      timeoutMs: 120_000,
      everyMs: 500,
    },
  );
  for (const [index, [reason]] of FAILURES.entries()) await untilFailed(index, reason);

  const before = healthy.map(listings);
  const start = performance.now();
  const end = start + INTERVALS * INTERVAL_MS;
  await waitFor('the intervals to pass', () => (performance.now() >= end ? true : undefined), {
    timeoutMs: INTERVALS * INTERVAL_MS + 10_000,
    everyMs: 500,
  });
  const times = healthy.map((index, place) => listings(index) - (before[place] ?? 0));
  // The place of a scan in its interval is jittered, so one of three may lie just before or behind the watch.
  const late = healthy.filter((_, place) => (times[place] ?? 0) < INTERVALS - 1);
  assert.deepEqual(late, [], 'scanned less often than their interval says');
});

async function create(index: number): Promise<void> {
  const metadata = { namespace: 'default', name: name(index) };
  const spec = { image: `${registry.host}/${name(index)}`, interval: `${INTERVAL_MS}ms` };
  const object = { apiVersion: API_VERSION, kind: 'ImageScan', metadata, spec };
  await bench.client.patch({ resource: IMAGE_SCANS, ...metadata }, object, 'apply', {
    fieldManager: 'test',
    force: true,
  });
}

async function untilFailed(index: number, reason: string): Promise<void> {
  const named = { namespace: 'default', name: name(index) };
  await waitFor(
    `${name(index)} to be ${reason}`,
    async () =>
      conditionOf(await readScan(bench.client, named), 'ImageScanned') === `False ${reason}`
        ? true
        : undefined,
    { timeoutMs: 150_000, everyMs: 500 },
  );
}
