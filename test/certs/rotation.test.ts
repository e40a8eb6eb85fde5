import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { smallKeys } from './keys.ts';
import { POLICY, World } from './world.ts';
import { nextStep, type Step } from '../../certs/rotation.ts';

const DELAY_MS = POLICY.publishDelayMs;

describe('nextStep', async () => {
  const newKeys = await smallKeys(32);

  async function installed(): Promise<World> {
    const world = new World(newKeys);
    await world.heal();
    return world;
  }

  /** The kinds of the steps from here to the next 'none', and how long that waits. */
  async function stepsFrom(world: World): Promise<{ kinds: Step['kind'][]; waitMs: number }> {
    const kinds: Step['kind'][] = [];
    for (;;) {
      const step = world.nextStep();
      if (step.kind === 'none') return { kinds, waitMs: step.checkAt.getTime() - world.now };
      kinds.push(step.kind);
      await world.keep(1);
    }
  }

  it('from nothing: issues, publishes, and waits for the first renewal', async () => {
    const { kinds, waitMs } = await stepsFrom(new World(newKeys));
    assert.deepEqual(kinds, ['issue-all', 'publish-bundle']);
    assert.equal(waitMs, (POLICY.leafValidMs * 2) / 3);
  });

  it('renews the leaf at two thirds of its life and leaves the authority alone', async () => {
    const world = await installed();
    const before = world.secret;
    world.pass((POLICY.leafValidMs * 2) / 3);
    assert.deepEqual((await stepsFrom(world)).kinds, ['issue-leaf']);
    assert.equal(world.secret?.authorities, before?.authorities);
    assert.notEqual(world.secret?.certificate, before?.certificate);
  });

  it('renews the authority in order: added, published, served after the delay, the old one dropped at last', async () => {
    const world = await installed();
    world.pass((POLICY.caValidMs * 2) / 3 - 20_000);
    await world.keep();
    world.pass(20_000);
    assert.deepEqual(await stepsFrom(world), {
      kinds: ['add-authority', 'publish-bundle'],
      waitMs: DELAY_MS,
    });
    world.pass(DELAY_MS - 1);
    assert.deepEqual(await stepsFrom(world), { kinds: [], waitMs: 1 });
    world.pass(1);
    const { kinds } = await stepsFrom(world);
    assert.deepEqual(kinds, ['issue-leaf']);
    assert.equal(world.authorities.length, 2);
    world.pass(POLICY.leafValidMs - DELAY_MS);
    assert.deepEqual((await stepsFrom(world)).kinds, ['keep-authorities', 'publish-bundle']);
    assert.equal(world.authorities.length, 1);
  });

  it('waits the whole delay again after a crash between publishing and serving', async () => {
    const world = await installed();
    world.pass((POLICY.caValidMs * 2) / 3);
    assert.deepEqual((await stepsFrom(world)).kinds, ['add-authority', 'publish-bundle']);
    world.pass(DELAY_MS - 1);
    world.crash();
    assert.deepEqual(await stepsFrom(world), { kinds: [], waitMs: DELAY_MS });
  });

  it('publishes again what somebody removed, without touching the Secret', async () => {
    const world = await installed();
    world.damageBundle('');
    const before = world.secret;
    assert.deepEqual((await stepsFrom(world)).kinds, ['publish-bundle']);
    assert.equal(world.secret, before);
  });

  it('takes the authority over from the webhook configuration when the Secret is gone', async () => {
    const world = await installed();
    const trusted = world.bundle;
    world.damageSecret(() => undefined);
    const { kinds, waitMs } = await stepsFrom(world);
    assert.deepEqual(kinds, ['add-authority', 'publish-bundle']);
    assert.equal(waitMs, DELAY_MS);
    assert.ok(world.bundle?.endsWith(trusted ?? '-'));
    world.pass(DELAY_MS);
    assert.deepEqual((await stepsFrom(world)).kinds, ['issue-leaf']);
  });

  it('replaces an authority whose key a person removed, and distrusts the old one once they remove that too', async () => {
    const world = await installed();
    world.damageSecret((content) => ({ ...content, authorityKey: '' }));
    await world.heal();
    assert.equal(world.authorities.length, 2);
    const [signer] = world.authorities.map((authority) => authority.toString());
    world.damageSecret((content) => ({ ...content, authorities: signer ?? '' }));
    assert.deepEqual((await stepsFrom(world)).kinds, ['publish-bundle']);
    assert.equal(world.bundle, signer);
  });

  it('begins anew when everything has expired', async () => {
    const world = await installed();
    world.pass(POLICY.caValidMs);
    assert.deepEqual((await stepsFrom(world)).kinds, ['issue-all', 'publish-bundle']);
  });

  it('issues for other names as soon as they are wanted', async () => {
    const world = await installed();
    const published = { bundles: [world.bundle ?? ''], since: new Date(0) };
    const wanted = { dnsNames: ['other.ns.svc'], ipAddresses: [] };
    const step = nextStep(
      { published, ...(world.secret && { secret: world.secret }) },
      wanted,
      world.date,
      POLICY,
    );
    assert.equal(step.kind, 'issue-leaf');
  });

  it('publishes when one of several webhooks has another bundle, and does without a webhook configuration', async () => {
    const world = await installed();
    const wanted = { dnsNames: ['fleetscan.fleetscan-system.svc'], ipAddresses: [] };
    const kindWith = (bundles: string[]) => {
      const published = { bundles, since: new Date(0) };
      return nextStep(
        { published, ...(world.secret && { secret: world.secret }) },
        wanted,
        world.date,
        POLICY,
      ).kind;
    };
    assert.equal(kindWith([world.bundle!, world.bundle!]), 'none');
    assert.equal(kindWith([world.bundle!, `${world.bundle!}\n`]), 'publish-bundle');
    assert.equal(kindWith([]), 'none');
  });

  it('names no secret in a step', async () => {
    const world = new World(newKeys);
    for (const ms of [0, (POLICY.leafValidMs * 2) / 3, (POLICY.caValidMs * 2) / 3, DELAY_MS]) {
      world.pass(ms);
      for (let step = world.nextStep(); step.kind !== 'none'; step = world.nextStep()) {
        assert.doesNotMatch(JSON.stringify(step), /PRIVATE/);
        await world.keep(1);
      }
    }
  });
});
