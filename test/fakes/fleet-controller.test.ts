import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { rawScan } from '../reconciler/samples.ts';
import { waitFor } from '../wait.ts';
import { FakeApiServer } from './apiserver.ts';
import { FleetController } from './fleet-controller.ts';

const PATH = '/apis/fleet.cattle.io/v1alpha1/imagescans';
const SHARD = { 'fleet.cattle.io/shard-ref': 'any' };

async function setUp(t: TestContext) {
  const server = await new FakeApiServer().start();
  const client = server.client();
  const scanned: string[] = [];
  const fleet = new FleetController(client, {
    scan: async ({ name }) => void scanned.push(name),
    intervalMs: 5,
  });
  t.after(async () => {
    await fleet.stop();
    await client.close();
    await server.stop();
  });
  const put = (name: string, metadata: object = {}, spec: object = {}): void =>
    void server.put(PATH, rawScan({ metadata: { name, ...metadata }, spec }));
  const untilJobs = (...names: string[]): Promise<true> =>
    waitFor(`jobs for ${names.join(', ') || 'none'}`, () =>
      fleet.jobs.join() === names.map((name) => `team/${name}`).join() ? true : undefined,
    );
  /** Once it has seen this one, it has seen all that was put before. */
  const untilSeen = (name: string): Promise<unknown> =>
    waitFor(`it to see ${name}`, () => fleet.labelsSeen('team', name));
  return { server, fleet, scanned, put, untilJobs, untilSeen };
}

describe("the fake of Fleet's controller", () => {
  it('scans what is there and what comes, again and again', async (t) => {
    const { fleet, scanned, put, untilJobs } = await setUp(t);
    put('web');
    fleet.start();
    await untilJobs('web');
    put('api');
    await waitFor('scans', () => scanned.filter((name) => name === 'api').length > 2 || undefined);
  });

  it('passes over what bears the shard label, with any value, and what is suspended', async (t) => {
    const { fleet, put, untilJobs, untilSeen } = await setUp(t);
    put('web', { labels: SHARD });
    fleet.start();
    put('api', { labels: { 'fleet.cattle.io/shard-ref': '' } });
    put('idle', {}, { suspend: true });
    await untilSeen('idle');
    assert.deepEqual(fleet.jobs, []);
    put('web', { labels: {} });
    await untilJobs('web');
    put('web', { generation: 2 }, { suspend: true });
    await untilJobs();
  });

  it('goes on with a job for what was labelled later, until it restarts', async (t) => {
    const { fleet, put, untilJobs, untilSeen, scanned } = await setUp(t);
    fleet.start();
    put('web');
    await untilJobs('web');
    put('web', { labels: SHARD });
    put('other', { labels: SHARD });
    await untilSeen('other');
    assert.deepEqual(fleet.jobs, ['team/web']);
    await fleet.restart();
    await untilSeen('other');
    assert.deepEqual(fleet.jobs, []);
    const count = scanned.length;
    put('last', { labels: SHARD });
    await untilSeen('last');
    assert.equal(scanned.length, count);
  });

  it('ends a job with its object', async (t) => {
    const { server, fleet, put, untilJobs } = await setUp(t);
    fleet.start();
    put('web');
    await untilJobs('web');
    server.remove(PATH, 'team', 'web');
    await untilJobs();
  });
});
