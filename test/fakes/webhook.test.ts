import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Agent, request } from 'undici';
import { waitFor } from '../wait.ts';
import { type FakeWebhook, startWebhook } from './webhook.ts';

const PATCH = [{ op: 'add', path: '/metadata/labels', value: { seen: 'yes' } }];

describe('the fake webhook', () => {
  async function start(t: TestContext): Promise<{ webhook: FakeWebhook; ask: (body: string) => Answer }> {
    const webhook = await startWebhook(PATCH);
    const ca = Buffer.from(webhook.clientConfig.caBundle, 'base64').toString();
    const agent = new Agent({ connect: { ca } });
    t.after(async () => {
      await agent.destroy();
      await webhook.stop();
    });
    const ask = async (body: string) => {
      const { url } = webhook.clientConfig;
      const { statusCode, body: answer } = await request(url, { method: 'POST', body, dispatcher: agent });
      return { statusCode, text: await answer.text() };
    };
    return { webhook, ask };
  }

  it('allows what it is asked about, with its patch, under a certificate of its authority', async (t) => {
    const { webhook, ask } = await start(t);
    const { statusCode, text } = await ask(JSON.stringify({ request: { uid: 'u-1' } }));
    assert.equal(statusCode, 200);
    assert.deepEqual(JSON.parse(text), {
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      response: {
        uid: 'u-1',
        allowed: true,
        patchType: 'JSONPatch',
        patch: Buffer.from(JSON.stringify(PATCH)).toString('base64'),
      },
    });
    assert.equal(webhook.asked(), 1);
  });

  it('holds its answers back until it is told to pass', async (t) => {
    const { webhook, ask } = await start(t);
    webhook.hold();
    let answered = false;
    const held = ask(JSON.stringify({ request: { uid: 'u-1' } })).finally(() => {
      answered = true;
    });
    await waitFor('the review to come in', () => (webhook.asked() === 1 ? true : undefined));
    assert.equal(answered, false);
    webhook.pass();
    assert.equal((await held).statusCode, 200);
    assert.equal((await ask(JSON.stringify({ request: { uid: 'u-2' } }))).statusCode, 200);
  });

  it('answers 400 to what is no review', async (t) => {
    const { ask } = await start(t);
    assert.equal((await ask('{}')).statusCode, 400);
  });
});

type Answer = Promise<{ statusCode: number; text: string }>;
