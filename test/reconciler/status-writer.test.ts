import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import type { KubeClient } from '../../kube/client.ts';
import { ApiError } from '../../kube/errors.ts';
import { IMAGE_SCANS } from '../../kube/resource.ts';
import { isSameSpec, type Written, writeStatus } from '../../reconciler/status-writer.ts';
import { parseStoredScan, type StoredScan } from '../../reconciler/stores.ts';
import { FakeApiServer, sendStatus } from '../fakes/apiserver.ts';
import { IMAGE_SCANS_PATH, imageScan, rawScan } from './samples.ts';

const PATH = { resource: IMAGE_SCANS, namespace: 'team', name: 'web' };
const { signal } = new AbortController();

describe('writeStatus', () => {
  let server: FakeApiServer;
  let client: KubeClient;

  before(async () => {
    server = await new FakeApiServer().start();
    client = server.client();
  });
  afterEach(() => server.unplan());
  after(async () => {
    await client.close();
    await server.stop();
  });

  const put = (parts: Parameters<typeof rawScan>[0] = {}): StoredScan =>
    parseStoredScan(server.put(IMAGE_SCANS_PATH, rawScan(parts)));

  /** Writes how often it was asked, and of which form of the object, as the message of a condition. */
  function write(
    scan: StoredScan,
    options: { signal?: AbortSignal } = {},
  ): { asked: StoredScan[]; result: Promise<Written<StoredScan> | undefined> } {
    const asked: StoredScan[] = [];
    const next = (fresh: StoredScan): object => {
      asked.push(fresh);
      return { latestTag: `${fresh.metadata.annotations['note'] ?? ''}${asked.length}` };
    };
    return {
      asked,
      result: writeStatus(client, PATH, scan, { parse: parseStoredScan, next, signal, ...options }),
    };
  }

  const conflicts = (times: number, meanwhile: () => void = () => {}): void => {
    for (let i = 0; i < times; i++) {
      server.plan(
        ({ method }) => method === 'PATCH',
        (_request, response) => {
          meanwhile();
          sendStatus(response, 409, 'Conflict', 'the object has been modified');
        },
      );
    }
  };

  it('writes the status alone, with the version that it was made of as a precondition', async () => {
    const scan = put();
    const { asked, result } = write(scan);
    const written = await result;
    assert.deepEqual(asked, [scan]);
    assert.equal(written?.before, scan);
    assert.equal(written?.after.status.latestTag, '1');
    const request = server.requests.at(-1);
    assert.equal(request?.path, `/apis/fleetscan.io/v1alpha1/namespaces/team/imagescans/web/status`);
    assert.deepEqual(JSON.parse(request?.body ?? ''), {
      metadata: { resourceVersion: scan.metadata.resourceVersion },
      status: { latestTag: '1' },
    });
  });

  it('asks again, about the object as it is now, when somebody changed it', async () => {
    const scan = put();
    put({ metadata: { annotations: { note: 'changed ' } } });
    const { asked, result } = write(scan);
    const written = await result;
    assert.equal(asked.length, 2);
    assert.equal(asked[1]?.metadata.annotations['note'], 'changed ');
    assert.equal(written?.before, asked[1]);
    assert.equal(written?.after.status.latestTag, 'changed 2');
  });

  it('writes nothing when the spec changed meanwhile', async () => {
    const scan = put();
    put({ metadata: { generation: 2 } });
    assert.equal(await write(scan).result, undefined);
    assert.equal(parseStoredScan(await client.get(PATH)).status.latestTag, undefined);
  });

  it('writes nothing to an object that bears the name of one that is gone', async () => {
    const scan = put({ metadata: { uid: 'first' } });
    put({ metadata: { uid: 'second' } });
    assert.equal(await write(scan).result, undefined);
  });

  it('has nothing to write to when the object is gone, before or after a conflict', async () => {
    const scan = put();
    server.remove(IMAGE_SCANS_PATH, 'team', 'web');
    assert.equal(await write(scan).result, undefined);
    const again = put();
    conflicts(1, () => server.remove(IMAGE_SCANS_PATH, 'team', 'web'));
    assert.equal(await write(again).result, undefined);
  });

  it('gives up after five conflicts', async () => {
    const scan = put();
    conflicts(5);
    const { asked, result } = write(scan);
    await assert.rejects(result, (error) => error instanceof ApiError && error.code === 'Conflict');
    assert.equal(asked.length, 5);
    assert.notEqual(await write(scan).result, undefined, 'and can write the next time');
  });

  it('does not give up at the fourth', async () => {
    const scan = put();
    conflicts(4);
    const written = await write(scan).result;
    assert.equal(written?.after.status.latestTag, '5');
  });

  it('throws what the server says otherwise', async () => {
    const scan = put();
    server.plan(
      ({ method }) => method === 'PATCH',
      (_request, response) => sendStatus(response, 422, 'Invalid', 'status.latestTag: must be short'),
    );
    const { asked, result } = write(scan);
    await assert.rejects(
      result,
      (error) => error instanceof ApiError && error.message.includes('must be short'),
    );
    assert.equal(asked.length, 1);
  });

  it('writes nothing once its signal has aborted: another may lead by now', async () => {
    const scan = put();
    const { asked, result } = write(scan, { signal: AbortSignal.abort(new Error('deposed')) });
    await assert.rejects(result, /deposed/);
    assert.deepEqual(asked, []);
  });
});

describe('isSameSpec', () => {
  it('tells another generation and another object of the name', () => {
    const a = imageScan({ metadata: { uid: 'u', generation: 1, resourceVersion: '5' } });
    assert.equal(
      isSameSpec(a, imageScan({ metadata: { uid: 'u', generation: 1, resourceVersion: '9' } })),
      true,
    );
    assert.equal(isSameSpec(a, imageScan({ metadata: { uid: 'u', generation: 2 } })), false);
    assert.equal(isSameSpec(a, imageScan({ metadata: { uid: 'v', generation: 1 } })), false);
  });
});
