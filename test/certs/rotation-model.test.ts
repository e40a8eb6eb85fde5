import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { bundleText } from '../../certs/bundle.ts';
import type { SecretContent } from '../../certs/holdings.ts';
import { smallKeys } from './keys.ts';
import { POLICY, World } from './world.ts';

type Action =
  | { do: 'pass'; ms: number }
  | { do: 'keep'; steps: number; crash: boolean }
  | { do: 'reload'; replica: number }
  | Damage;
type Damage =
  | { do: 'spoil'; field: keyof SecretContent; how: 'empty' | 'garbage' | 'half' | 'foreign' }
  | { do: 'delete-secret' | 'empty-secret' | 'plant-leaf' | 'delete-configuration' }
  | { do: 'restore-backup'; index: number }
  | { do: 'bundle'; how: 'empty' | 'garbage' | 'foreign' | 'foreign-beside-ours' };

const peace: fc.Arbitrary<Action> = fc.oneof(
  fc.record({
    do: fc.constant('pass' as const),
    ms: fc.constantFrom(500, 5000, 10_000, 60_000, 150_000, 290_000, 500_000, 1_300_000),
  }),
  fc.record({ do: fc.constant('keep' as const), steps: fc.integer({ min: 1, max: 6 }), crash: fc.boolean() }),
  fc.record({ do: fc.constant('keep' as const), steps: fc.constant(20), crash: fc.constant(false) }),
  fc.record({ do: fc.constant('reload' as const), replica: fc.integer({ min: 0, max: 2 }) }),
);
const damage: fc.Arbitrary<Action> = fc.oneof(
  fc.record({
    do: fc.constant('spoil' as const),
    field: fc.constantFrom<keyof SecretContent>('certificate', 'key', 'authorities', 'authorityKey'),
    how: fc.constantFrom('empty', 'garbage', 'half', 'foreign'),
  }),
  fc.record({ do: fc.constantFrom('delete-secret', 'empty-secret', 'plant-leaf', 'delete-configuration') }),
  fc.record({ do: fc.constant('restore-backup' as const), index: fc.nat(5) }),
  fc.record({
    do: fc.constant('bundle' as const),
    how: fc.constantFrom('empty', 'garbage', 'foreign', 'foreign-beside-ours'),
  }),
);

describe('rotation, whatever happens', async () => {
  const newKeys = await smallKeys(64);

  it('never serves what API servers do not trust, and settles, when keepers crash and replicas lag', async () => {
    await fc.assert(fc.asyncProperty(fc.array(peace, { maxLength: 30 }), run), { numRuns: 60 });
  });

  it('heals every damage without breaking what still works', async () => {
    const actions = fc.array(fc.oneof({ weight: 4, arbitrary: peace }, { weight: 1, arbitrary: damage }), {
      maxLength: 25,
    });
    await fc.assert(fc.asyncProperty(actions, run), { numRuns: 120 });
  });

  async function run(actions: readonly Action[]): Promise<void> {
    const world = new World(newKeys);
    await world.heal();
    for (const action of actions) await act(world, action);
    await world.heal();
    await forgetsOldAuthorities(world);
  }
});

async function act(world: World, action: Action): Promise<void> {
  switch (action.do) {
    case 'pass':
      return world.pass(action.ms);
    case 'keep':
      await world.keep(action.steps);
      return action.crash ? world.crash() : undefined;
    case 'reload':
      return world.reload(action.replica);
    default:
      await breakSomething(world, action);
      return world.check();
  }
}

async function breakSomething(world: World, action: Damage): Promise<void> {
  switch (action.do) {
    case 'spoil': {
      const foreign = await world.foreignAuthority();
      const other = action.field.toLowerCase().endsWith('key') ? foreign.key : foreign.certificate;
      return world.damageSecret((content) => ({
        ...content,
        [action.field]: spoilt(content[action.field], action.how, other),
      }));
    }
    case 'delete-secret':
      return world.damageSecret(() => undefined);
    case 'empty-secret':
      return world.damageSecret(() => ({ certificate: '', key: '', authorities: '', authorityKey: '' }));
    case 'plant-leaf':
      return world.plantForeignLeaf();
    case 'restore-backup':
      return world.restoreBackup(action.index);
    case 'delete-configuration':
      return world.damageBundle(undefined);
    case 'bundle': {
      const { certificate } = await world.foreignAuthority();
      const texts = {
        empty: '',
        garbage: 'x',
        foreign: certificate,
        'foreign-beside-ours': certificate + (world.bundle ?? ''),
      };
      return world.damageBundle(texts[action.how]);
    }
  }
}

function spoilt(text: string, how: 'empty' | 'garbage' | 'half' | 'foreign', foreign: string): string {
  return { empty: '', garbage: 'garbage', half: text.slice(0, text.length / 2), foreign }[how];
}

/** In peace, one leaf's life after the last new authority there is one authority again, in both objects. */
async function forgetsOldAuthorities(world: World): Promise<void> {
  const [signer] = world.authorities;
  for (let passed = 0; passed <= POLICY.leafValidMs; passed += 60_000) {
    world.pass(60_000);
    await world.keep();
    world.replicas.forEach((_, index) => world.reload(index));
  }
  const isRotating = world.authorities[0]?.fingerprint256 !== signer?.fingerprint256;
  assert.ok(world.authorities.length <= (isRotating ? 2 : 1), 'authorities that are not needed are dropped');
  assert.equal(world.secret?.authorities, bundleText(world.authorities));
  if (world.bundle !== undefined) assert.equal(world.bundle, world.secret?.authorities);
}
