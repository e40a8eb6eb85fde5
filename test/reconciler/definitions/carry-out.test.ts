import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { DEFINED_BY_LABEL } from '../../../kube/kinds/defined.ts';
import { carryOut } from '../../../reconciler/definitions/carry-out.ts';
import { planScans } from '../../../reconciler/definitions/plan.ts';
import { parseStoredScan, type StoredScan } from '../../../reconciler/stores.ts';
import { FakeApiServer, sendStatus } from '../../fakes/apiserver.ts';
import { IMAGE_SCANS_PATH, rawScan } from '../samples.ts';
import { afterPlan, define, entries, OWNER } from './samples.ts';

/** An API server, and what makes it as files say by what is known of its ImageScans. */
async function setUp(t: TestContext) {
  const server = await new FakeApiServer().start();
  const client = server.client();
  t.after(async () => {
    await client.close();
    await server.stop();
  });
  const bring = (file: string, known: readonly StoredScan[]) =>
    carryOut(
      planScans(OWNER, define({ 'fleet.yaml': file }), known).operations,
      OWNER,
      client,
      new AbortController().signal,
    );
  const put = (metadata: object, spec: object = {}): StoredScan =>
    parseStoredScan(server.put(IMAGE_SCANS_PATH, rawScan({ metadata, spec })));
  const sent = (method: string): string[] =>
    server.requests.filter((request) => request.method === method).map(({ body }) => body);
  return { server, bring, put, sent };
}

/** What {@link entries} define, as an earlier run made it. */
const defined = (...tagNames: readonly string[]): StoredScan[] =>
  afterPlan(OWNER, define({ 'fleet.yaml': entries(...tagNames) }), []);
const NOTHING = { created: [], changed: [], removed: [], failures: [] };

describe('carryOut, of what is to be created', () => {
  it('takes the next name where one is taken, and says so where all are', async (t) => {
    const { bring, put, sent } = await setUp(t);
    put({ name: 'apps-web' });
    const { created, failures } = await bring(entries('web'), []);
    assert.match(created.join(), /^apps-web-[0-9a-f]{10}$/);
    assert.deepEqual(failures, []);

    // The first label is that of another GitRepo.
    put({ name: created[0], labels: { [DEFINED_BY_LABEL]: 'other' } });
    const again = await bring(entries('web'), []);
    assert.deepEqual(again.created, []);
    assert.match(
      again.failures.map(({ file, line, message }) => `${file}:${line} ${message}`).join(),
      /^fleet\.yaml:2 not created: AlreadyExists: the names apps-web, apps-web-[0-9a-f]{10} are taken/,
    );
    assert.equal(sent('POST').length, 4);
  });

  it('makes none twice of which the watch is yet to tell', async (t) => {
    const { bring, put } = await setUp(t);
    put({ name: 'apps-web', labels: { [DEFINED_BY_LABEL]: 'apps' } });
    assert.deepEqual(await bring(entries('web'), []), NOTHING);
  });
});

describe('carryOut, of what is there', () => {
  it('changes and removes the very objects that were looked at', async (t) => {
    const { server, bring, sent } = await setUp(t);
    const known = defined('web', 'db');
    for (const { metadata, spec } of known) server.put(IMAGE_SCANS_PATH, rawScan({ metadata, spec }));
    const done = await bring('imageScans:\n- {tagName: web, image: ghcr.io/acme/other}\n', known);
    assert.deepEqual(done, { ...NOTHING, changed: ['apps-web'], removed: ['apps-db'] });
    const [patch] = sent('PATCH').map((body) => JSON.parse(body));
    assert.equal(patch.metadata.uid, 'uid-of-apps-web');
    assert.deepEqual(patch.spec, { image: 'ghcr.io/acme/other' });
    assert.match(sent('DELETE').join(), /"preconditions":\{[^}]*"uid":"uid-of-apps-db"/);
  });

  it('tells of no change where only the place in the file is another', async (t) => {
    const { server, bring, sent } = await setUp(t);
    const known = defined('web');
    for (const { metadata, spec } of known) server.put(IMAGE_SCANS_PATH, rawScan({ metadata, spec }));
    assert.deepEqual(await bring(`# moved\n${entries('web')}`, known), NOTHING);
    assert.equal(sent('PATCH').length, 1);
  });

  it('takes what is gone meanwhile for no failure', async (t) => {
    const { bring, sent } = await setUp(t);
    const known = defined('web', 'db');
    assert.deepEqual(await bring('imageScans:\n- {tagName: web, image: other}\n', known), NOTHING);
    assert.deepEqual([sent('PATCH').length, sent('DELETE').length], [1, 1]);
  });

  it('names what the API server refuses, and what it was to do', async (t) => {
    const { server, bring } = await setUp(t);
    for (const method of ['PATCH', 'DELETE'])
      server.plan(
        (request) => request.method === method,
        (_request, response) => sendStatus(response, 403, 'Forbidden', 'not you'),
      );
    const { failures } = await bring('imageScans:\n- {tagName: web, image: other}\n', defined('web', 'db'));
    assert.deepEqual(failures.map(({ message }) => message).toSorted(), [
      'ImageScan apps-db, which is not wanted any more, not removed: Forbidden: not you',
      'ImageScan apps-web not changed: Forbidden: not you',
    ]);
  });
});
