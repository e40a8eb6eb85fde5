import assert from 'node:assert/strict';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { z } from 'zod';
import type { KubeClient } from '../../kube/client.ts';
import { type LeaseOptions, lead } from '../../kube/lease.ts';
import { LEASES } from '../../kube/resource.ts';
import { FakeApiServer, type Recorded, sendStatus } from '../fakes/apiserver.ts';
import { waitFor } from '../wait.ts';

const RESOURCE = '/apis/coordination.k8s.io/v1/leases';
const PATH = { resource: LEASES, namespace: 'a', name: 'l' };
const leaseSpec = z.object({
  holderIdentity: z.string().optional(),
  leaseDurationSeconds: z.int().optional(),
  leaseTransitions: z.int().optional(),
  acquireTime: z.string().default(''),
  renewTime: z.string().default(''),
});
type LeaseSpec = z.infer<typeof leaseSpec>;

let server: FakeApiServer;
let client: KubeClient;
let stop: AbortController;

beforeEach(async () => {
  server = await new FakeApiServer().start();
  client = server.client();
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await client.close();
  await server.stop();
});

/** Quick enough for a test, with a duration of a whole second as the Lease's field has it. */
function options(identity: string, more: Partial<LeaseOptions> = {}): LeaseOptions {
  return {
    namespace: 'a',
    name: 'l',
    identity,
    durationMs: 1000,
    renewMs: 50,
    retryMs: 20,
    signal: stop.signal,
    ...more,
  };
}

async function spec(): Promise<LeaseSpec> {
  return z.object({ spec: leaseSpec }).parse(await client.get(PATH)).spec;
}

async function untilHeldBy(identity: string): Promise<LeaseSpec> {
  return waitFor(`the Lease of ${identity}`, async () => {
    const now = await spec();
    return now.holderIdentity === identity ? now : undefined;
  });
}

const untilAborted = async (signal: AbortSignal): Promise<void> => {
  if (!signal.aborted) await once(signal, 'abort');
};
const isWrite = ({ method }: Recorded): boolean => method === 'PATCH';

describe('lead', () => {
  it('creates the Lease, renews it while work runs, and gives it up at the end', async () => {
    const transitions: boolean[] = [];
    await lead(client, options('one', { onTransition: (leading) => transitions.push(leading) }), async () => {
      const first = await untilHeldBy('one');
      assert.match(first.acquireTime, /\.\d{6}Z$/);
      assert.equal(first.leaseTransitions, 0);
      assert.equal(first.leaseDurationSeconds, 1);
      await waitFor('a renewal', async () =>
        (await spec()).renewTime === first.renewTime ? undefined : true,
      );
    });
    assert.equal((await spec()).holderIdentity, '');
    assert.deepEqual(transitions, [true, false]);
  });

  it('lets one of many work at a time, and the next begin as soon as one gives up', async () => {
    let working = 0;
    let most = 0;
    const contender = (identity: string): Promise<void> =>
      lead(client, options(identity, { durationMs: 60_000 }), async () => {
        working += 1;
        most = Math.max(most, working);
        await waitFor('a renewal', async () =>
          (await spec()).renewTime !== (await spec()).acquireTime ? true : undefined,
        );
        working -= 1;
      });
    const begun = performance.now();
    await Promise.all(['one', 'two', 'three', 'four'].map(contender));
    assert.equal(most, 1);
    assert.equal((await spec()).leaseTransitions, 3);
    assert.ok(performance.now() - begun < 30_000, 'nobody waited for an expiry');
  });

  it('is refused the Lease that another took between its look and its write', async () => {
    let taken = 0;
    put({ holderIdentity: '' });
    server.plan(isWrite, (request, response) => {
      put({ holderIdentity: 'faster', leaseDurationSeconds: 1 });
      taken = performance.now();
      server.answer(request, response);
    });
    await lead(client, options('one'), async () => {
      assert.ok(performance.now() - taken >= 1000, 'the faster one had it for its time');
    });
  });

  it('takes a Lease at once that was given up, however long it was for', { timeout: 20_000 }, async () => {
    put({ holderIdentity: '', leaseDurationSeconds: 3600, leaseTransitions: 2 });
    await lead(client, options('one'), async () => assert.equal((await spec()).leaseTransitions, 3));
  });

  it('takes a Lease over only after it has seen it unchanged for its duration, whatever the times in it say', async () => {
    // Renewed long ago by its own clock, and yet just renewed for all we know.
    put({
      holderIdentity: 'dead',
      leaseDurationSeconds: 1,
      renewTime: '2001-01-01T00:00:00.000000Z',
      leaseTransitions: 4,
    });
    const begun = performance.now();
    await lead(client, options('one'), async () => {
      assert.ok(performance.now() - begun >= 1000, `after ${performance.now() - begun} ms`);
      assert.equal((await spec()).leaseTransitions, 5);
    });
  });

  it('leaves a Lease alone that its holder renews, though by another clock', async () => {
    let count = 0;
    put({ holderIdentity: 'other', leaseDurationSeconds: 1, renewTime: '2001-01-01T00:00:00.000000Z' });
    const renewing = setInterval(() => {
      count += 1;
      put({
        holderIdentity: 'other',
        leaseDurationSeconds: 1,
        renewTime: `2001-01-01T00:00:00.${String(count).padStart(6, '0')}Z`,
      });
    }, 100);
    let worked = false;
    const leading = lead(client, options('one'), async () => {
      worked = true;
    });
    await waitFor('twice the duration', () => (count >= 20 ? true : undefined));
    clearInterval(renewing);
    assert.equal(worked, false);
    await leading;
  });

  it('goes on at once with a Lease that bears its own identity, after a restart', async () => {
    put({ holderIdentity: 'one', leaseDurationSeconds: 3600, leaseTransitions: 7 });
    await lead(client, options('one'), async () => assert.equal((await spec()).leaseTransitions, 7));
  });

  it('tells work to stop when the Lease cannot be renewed, before another can take it, and leads again later', async () => {
    const terms: number[] = [];
    let lost = 0;
    await lead(client, options('one', { renewMs: 20, durationMs: 2000 }), async (signal) => {
      terms.push(performance.now());
      if (terms.length === 2) return;
      for (let times = 0; times < 200; times++)
        server.plan(isWrite, (_, response) => response.socket?.destroy());
      await untilAborted(signal);
      lost = performance.now() - (terms[0] ?? 0);
      server.unplan();
    });
    assert.ok(lost >= 1000 && lost < 2000, `lost after ${lost} ms`);
    assert.equal(terms.length, 2);
  });

  it('tells work to stop in time even when the server does not answer at all', async () => {
    let lost = 0;
    await lead(client, options('one', { durationMs: 2000 }), async (signal) => {
      if (lost > 0) return;
      const begun = performance.now();
      server.plan(isWrite, () => {});
      await untilAborted(signal);
      lost = performance.now() - begun;
    });
    assert.ok(lost > 0 && lost < 2000, `lost after ${lost} ms`);
  });

  it('tells work to stop when another holds the Lease', async () => {
    let first = true;
    const leading = lead(client, options('one'), async (signal) => {
      if (!first) return;
      first = false;
      put({ holderIdentity: 'thief', leaseDurationSeconds: 1 });
      await untilAborted(signal);
      assert.equal((await spec()).holderIdentity, 'thief');
      signal.throwIfAborted();
    });
    await leading;
  });

  it('keeps a Lease that somebody only labelled', async () => {
    await lead(client, options('one'), async (signal) => {
      await client.patch(PATH, { metadata: { labels: { a: 'b' } } }, 'merge');
      const { renewTime } = await spec();
      await waitFor('a renewal', async () => ((await spec()).renewTime === renewTime ? undefined : true));
      assert.equal(signal.aborted, false);
    });
  });

  it('contends again when the Lease was deleted', async () => {
    let terms = 0;
    await lead(client, options('one'), async (signal) => {
      terms += 1;
      if (terms === 2) return;
      await client.delete(PATH);
      await untilAborted(signal);
    });
    assert.equal(terms, 2);
  });

  it('gives the Lease up and throws what work throws', async () => {
    await assert.rejects(
      lead(client, options('one'), async () => {
        throw new Error('work');
      }),
      /^Error: work$/,
    );
    assert.equal((await spec()).holderIdentity, '');
  });

  it('ends when its signal aborts: work first, then the Lease', async () => {
    const order: string[] = [];
    const leading = lead(
      client,
      options('one', { onTransition: (leading) => order.push(leading ? 'leading' : 'not leading') }),
      async (signal) => {
        await untilAborted(signal);
        order.push(`held by ${(await spec()).holderIdentity}`);
        signal.throwIfAborted();
      },
    );
    await untilHeldBy('one');
    stop.abort();
    await leading;
    assert.deepEqual(order, ['leading', 'held by one', 'not leading']);
    assert.equal((await spec()).holderIdentity, '');
  });

  it('waits without working while the API server refuses, and ends when its signal aborts', async () => {
    const errors: unknown[] = [];
    for (let times = 0; times < 1000; times++)
      server.plan(
        () => true,
        (_, response) => sendStatus(response, 403, 'Forbidden', 'no'),
      );
    const leading = lead(client, options('one', { onError: (error) => errors.push(error) }), async () =>
      assert.fail('worked'),
    );
    await waitFor('refusals', () => (errors.length > 2 ? true : undefined));
    stop.abort();
    await leading;
  });
});

function put(leaseSpec: object): void {
  server.put(RESOURCE, { metadata: { name: 'l', namespace: 'a' }, spec: leaseSpec });
}
