import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FLEET_GROUP, type Group, objectKey, type ObjectName, OWN_GROUP } from '../../core/group.ts';
import { Store } from '../../kube/store.ts';
import { Union } from '../../kube/union.ts';
import type { WatchEvent } from '../../kube/watch.ts';

const object = (group: Group, name: string): ObjectName => ({ group, namespace: 'team', name });

function storeOf(...events: WatchEvent<ObjectName>[]): Store<ObjectName> {
  return new Store(async function* () {
    yield* events;
  });
}

describe('Union', () => {
  it('holds the objects of both groups by their keys, also those of one name', async () => {
    const [ours, fleets] = [object(OWN_GROUP, 'app'), object(FLEET_GROUP, 'app')];
    const stores = {
      [OWN_GROUP]: storeOf({ type: 'replaced', items: [ours] }),
      [FLEET_GROUP]: storeOf({ type: 'replaced', items: [fleets] }),
    };
    const union = new Union(stores);
    const heard: string[] = [];
    union.onChange(({ type, item }) => heard.push(`${type} ${objectKey(item)}`));
    assert.equal(union.isSynced, false);
    for (const store of Object.values(stores)) await store.run(new AbortController().signal);
    await union.synced;
    assert.deepEqual([union.isSynced, union.size], [true, 2]);
    assert.equal(union.get('team/app'), ours);
    assert.equal(union.get('fleet.cattle.io/team/app'), fleets);
    assert.equal(union.get('fleet.cattle.io/team/other'), undefined);
    assert.deepEqual([...union.values()], [ours, fleets]);
    assert.deepEqual(heard, ['put team/app', 'put fleet.cattle.io/team/app']);
  });
});
