import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import * as fc from 'fast-check';
import { z } from 'zod';
import type { KubeClient } from '../../kube/client.ts';
import { cutToBytes, EventRecorder, type EventText, type ObjectRef } from '../../kube/events.ts';
import { FakeApiServer, type Recorded, sendStatus } from '../fakes/apiserver.ts';

let server: FakeApiServer;
let client: KubeClient;
let errors: unknown[];
let recorder: EventRecorder;

beforeEach(async () => {
  server = await new FakeApiServer().start();
  client = server.client();
  errors = [];
  recorder = new EventRecorder(client, {
    component: 'fleetscan.io/test',
    instance: 'pod-1',
    onError: (error) => errors.push(error),
  });
});
afterEach(async () => {
  await client.close();
  await server.stop();
});

const ABOUT: ObjectRef = {
  apiVersion: 'fleetscan.io/v1alpha1',
  kind: 'ImageScan',
  namespace: 'a',
  name: 'app',
  uid: 'u1',
};
const text = (message: string): EventText => ({
  type: 'Warning',
  reason: 'Unauthorized',
  action: 'Scan',
  message,
});
const eventBody = z.looseObject({
  metadata: z.object({ name: z.string() }).optional(),
  eventTime: z.string().optional(),
  series: z.object({ count: z.int(), lastObservedTime: z.string() }).optional(),
});
const bodyOf = (request: Recorded | undefined) => eventBody.parse(JSON.parse(request?.body ?? '{}'));

describe('EventRecorder', () => {
  it('writes an Event about the object, in its namespace', async () => {
    recorder.record(ABOUT, text('401 from ghcr.io'));
    await recorder.flush();
    const [request] = server.requests;
    assert.equal(`${request?.method} ${request?.path}`, 'POST /apis/events.k8s.io/v1/namespaces/a/events');
    const { metadata, eventTime, ...rest } = bodyOf(request);
    assert.match(metadata?.name ?? '', /^app\.[0-9a-f]{16}$/);
    assert.match(eventTime ?? '', /\.\d{6}Z$/);
    assert.deepEqual(rest, {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      reportingController: 'fleetscan.io/test',
      reportingInstance: 'pod-1',
      type: 'Warning',
      reason: 'Unauthorized',
      action: 'Scan',
      note: '401 from ghcr.io',
      regarding: ABOUT,
    });
  });

  it('counts repeats in a series on the first Event', async () => {
    recorder.record(ABOUT, text('again'));
    await recorder.flush();
    recorder.record(ABOUT, text('again'));
    recorder.record(ABOUT, text('again'));
    await recorder.flush();
    recorder.record(ABOUT, text('other'));
    await recorder.flush();
    const [first, ...more] = server.requests;
    assert.deepEqual(
      more.map(({ method }) => method),
      ['PATCH', 'PATCH', 'POST'],
    );
    assert.deepEqual(
      more.slice(0, 2).map((request) => bodyOf(request).series?.count),
      [2, 3],
    );
    assert.ok(more[0]?.path.endsWith(bodyOf(first).metadata?.name ?? '?'));
  });

  it('counts what is said again while it waits, and sends it once', async () => {
    recorder.record(ABOUT, text('first'));
    for (let times = 0; times < 5; times++) recorder.record(ABOUT, text('waiting'));
    await recorder.flush();
    assert.equal(server.requests.length, 2);
    assert.equal(bodyOf(server.requests[1]).series?.count, 5);
  });

  it('begins anew when the API server has forgotten the first Event', async () => {
    recorder.record(ABOUT, text('again'));
    await recorder.flush();
    server.plan(
      ({ method }) => method === 'PATCH',
      (_, response) => sendStatus(response, 404, 'NotFound', 'gone'),
    );
    recorder.record(ABOUT, text('again'));
    await recorder.flush();
    assert.deepEqual(
      server.requests.map(({ method }) => method),
      ['POST', 'PATCH', 'POST'],
    );
    assert.deepEqual(errors, []);
  });

  it('tells of a failure and goes on with the next', async () => {
    server.plan(
      () => true,
      (_, response) => sendStatus(response, 403, 'Forbidden', 'events is forbidden'),
    );
    recorder.record(ABOUT, text('one'));
    recorder.record(ABOUT, text('two'));
    await recorder.flush();
    assert.deepEqual(errors.map(String), ['ApiError: events is forbidden']);
    assert.equal(server.requests.length, 2);
  });

  it('drops events beyond 1,000 waiting, and tells so', async () => {
    server.plan(
      () => true,
      () => {},
    );
    for (let count = 0; count < 1010; count++) recorder.record(ABOUT, text(`message ${count}`));
    assert.ok(errors.length >= 9 && errors.length <= 10, `${errors.length} dropped`);
    assert.match(String(errors[0]), /event Unauthorized about a\/app dropped: 1000 are waiting/);
  });

  it('keeps events about what lives in no namespace in default', async () => {
    recorder.record({ ...ABOUT, namespace: '' }, text('x'));
    await recorder.flush();
    assert.match(server.requests[0]?.path ?? '', /namespaces\/default/);
  });
});

describe('cutToBytes', () => {
  it('never exceeds the length, never breaks a character, and keeps what fits', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 3, max: 40 }), (message, max) => {
        const cut = cutToBytes(message, max);
        assert.ok(Buffer.byteLength(cut) <= max);
        assert.ok(cut.isWellFormed());
        assert.ok(message === cut || (cut.endsWith('…') && message.startsWith(cut.slice(0, -1))));
        assert.equal(message === cut, Buffer.byteLength(message) <= max);
      }),
    );
  });
});
