import { after, before, describe } from 'node:test';
import { commits } from './commits.ts';
import { edits } from './edits.ts';
import { objects } from './objects.ts';
import { timing } from './timing.ts';
import { type FleetWorld, startFleetWorld } from './world.ts';

// One world for all: a control plane takes longer to start than these tests together.
describe("Fleet's faults are gone", () => {
  let world: FleetWorld;

  before(async () => {
    world = await startFleetWorld();
  });
  after(() => world?.stop());

  for (const subject of [edits, commits, timing, objects]) subject(() => world);
});
