import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DEFINED_BY_LABEL } from '../../../kube/kinds/defined.ts';
import { COMPATIBILITY_ANNOTATION } from '../../../kube/kinds/fleet.ts';
import type { Change, Collection } from '../../../kube/store.ts';
import { objectKey, type ObjectName } from '../../../core/group.ts';
import type { StoredGitRepo, StoredScan } from '../../../reconciler/stores.ts';
import { Agenda } from '../../../reconciler/write-back/agenda.ts';
import { WriteBackMemories } from '../../../reconciler/write-back/memories.ts';
import { DIGEST, fleetGitRepo, fleetScan, gitRepo, imageScan } from '../samples.ts';

/** Objects in memory that a test changes, as a watch would. */
class Objects<T extends ObjectName> implements Collection<T> {
  readonly synced = Promise.resolve();
  readonly isSynced = true;
  readonly #items = new Map<string, T>();
  readonly #listeners: ((change: Change<T>) => void)[] = [];

  get size(): number {
    return this.#items.size;
  }

  get(key: string): T | undefined {
    return this.#items.get(key);
  }

  values(): IterableIterator<T> {
    return this.#items.values();
  }

  onChange(listener: (change: Change<T>) => void): void {
    this.#listeners.push(listener);
  }

  put(item: T): void {
    const previous = this.#items.get(objectKey(item));
    this.#items.set(objectKey(item), item);
    for (const tell of this.#listeners) tell({ type: 'put', item, ...(previous && { previous }) });
  }

  delete(item: T): void {
    this.#items.delete(objectKey(item));
    for (const tell of this.#listeners) tell({ type: 'deleted', item });
  }
}

const APPS = 'team/apps';
const FLEETS = 'fleet.cattle.io/team/apps';
const HOUR = 3_600_000;
const RARELY = { imageScanInterval: '1h' };
const inForce = { canonicalImageName: 'registry.example/web', latestTag: '1.0.0', latestDigest: DIGEST };
const defined = { labels: { [DEFINED_BY_LABEL]: 'apps' } };

/** An agenda for some GitRepos, each of which agrees with Git, and what it has become due since. */
function setUp(gitRepos: readonly StoredGitRepo[], isDisturbed: () => boolean = () => false) {
  const [scans, repos] = [new Objects<StoredScan>(), new Objects<StoredGitRepo>()];
  const memories = new WriteBackMemories();
  const dues = new Map<string, number>();
  const agenda = new Agenda({
    scans,
    gitRepos: repos,
    memories,
    definitions: { isDisturbed },
    queue: {
      schedule: (key, due) => void dues.set(key, due),
      forget: (key) => void dues.delete(key),
      dueOf: (key) => dues.get(key),
    },
  });
  /** Each was written back a moment ago. */
  const settle = (): void => {
    dues.clear();
    for (const repo of repos.values()) {
      const key = objectKey(repo);
      memories.of(key).agree('c1', memories.of(key).version);
    }
  };
  for (const repo of gitRepos) repos.put(repo);
  settle();
  /** Those that are to run at once, and those that wait for their interval. */
  const woken = (): string[] => [...dues].filter(([, due]) => due <= Date.now()).map(([key]) => key);
  const waiting = (): string[] =>
    [...dues].filter(([, due]) => due > Date.now() + HOUR / 2).map(([key]) => key);
  return { agenda, scans, repos, memories, dues, settle, woken, waiting };
}

const own = (spec: object = {}, metadata: object = {}): StoredGitRepo =>
  gitRepo({ spec: { ...RARELY, ...spec }, metadata });
const fleets = (spec: object = {}, metadata: object = {}): StoredGitRepo =>
  fleetGitRepo({ spec: { ...RARELY, ...spec }, metadata });

describe('Agenda, of GitRepos', () => {
  it('has a new one run at once, and one that is written back wait for its interval', () => {
    const { repos, woken, waiting, settle } = setUp([]);
    repos.put(own());
    repos.put(fleets({}, { name: 'other' }));
    assert.deepEqual(woken(), [APPS, 'fleet.cattle.io/team/other']);
    settle();
    repos.put(own({}, { labels: { a: 'b' } }));
    assert.deepEqual([woken(), waiting()], [[], [APPS]]);
  });

  it('has one run at once whose spec is another, or which is another object', () => {
    const { repos, woken, settle } = setUp([own({}, { uid: 'a' })]);
    repos.put(own({ branch: 'next' }, { uid: 'a', generation: 2 }));
    assert.deepEqual(woken(), [APPS]);
    settle();
    repos.put(own({ branch: 'next' }, { uid: 'b', generation: 2 }));
    assert.deepEqual(woken(), [APPS]);
  });

  it('has an annotation of one of Fleet count, as far as it says something to us', () => {
    const annotated = (annotations: object) => fleets({}, { annotations });
    const { repos, woken, waiting, settle } = setUp([fleets()]);
    repos.put(annotated({ 'fleet.cattle.io/commit': 'c2' }));
    assert.deepEqual([woken(), waiting()], [[], [FLEETS]]);
    for (const annotations of [
      { [COMPATIBILITY_ANNOTATION]: 'Fleet' },
      { [COMPATIBILITY_ANNOTATION]: 'fleet' },
      { [COMPATIBILITY_ANNOTATION]: 'fleets' },
      {},
    ]) {
      repos.put(annotated(annotations));
      assert.deepEqual(woken(), [FLEETS], JSON.stringify(annotations));
      settle();
    }
  });

  it('has one of Fleet run at once when Fleet deploys another commit, and not for what else it writes there', () => {
    const deploying = (commit: string, more: object = {}): StoredGitRepo =>
      fleetGitRepo({ spec: RARELY, status: { commit, ...more } });
    const { repos, woken, settle } = setUp([deploying('c1')]);
    repos.put(deploying('c1', { desiredReadyClusters: 2 }));
    assert.deepEqual(woken(), []);
    repos.put(deploying('c2'));
    assert.deepEqual(woken(), [FLEETS]);
    settle();
    repos.put(deploying('c2', { desiredReadyClusters: 3 }));
    assert.deepEqual(woken(), []);
  });

  it('lets one that is suspended rest, whatever changes', () => {
    const { repos, scans, dues, agenda, woken } = setUp([own({ suspend: true })], () => true);
    scans.put(imageScan({ metadata: defined }));
    scans.put(imageScan({ metadata: defined, spec: { interval: '5m' } }));
    repos.put(own({ suspend: true }, { labels: { a: 'b' } }));
    assert.deepEqual([...dues], []);
    assert.ok(agenda.rests(own({ suspend: true })));
    repos.put(own({}, { generation: 2 }));
    assert.deepEqual(woken(), [APPS]);
  });

  it('lets one of Fleet rest while one of ours bears its name, and has it run at once when that goes', () => {
    const { repos, scans, agenda, dues, woken } = setUp([fleets()]);
    repos.put(fleets({}, { labels: { a: 'b' } }));
    repos.put(own());
    assert.deepEqual([...dues.keys()], [APPS]);
    assert.ok(agenda.rests(fleets()) && !agenda.rests(own()));
    scans.put(imageScan({ status: inForce }));
    assert.deepEqual([...dues.keys()], [APPS]);
    repos.delete(own());
    assert.deepEqual(woken(), [FLEETS]);
  });

  it('forgets one that is deleted, of either group', () => {
    const { repos, dues } = setUp([]);
    for (const repo of [own(), fleets({}, { name: 'other' })]) {
      repos.put(repo);
      repos.delete(repo);
    }
    assert.deepEqual([...dues], []);
  });
});

describe('Agenda, of ImageScans', () => {
  const other = own({}, { name: 'other' });
  const far = own({}, { namespace: 'far' });
  const repos = [own(), fleets({}, { name: 'fleets' }), other, far];

  it('wakes those in which a marker may name one that comes or goes, of either group', () => {
    for (const make of [imageScan, fleetScan]) {
      const { scans, woken, settle } = setUp(repos);
      scans.put(make());
      assert.deepEqual(woken(), [APPS, 'fleet.cattle.io/team/fleets', 'team/other']);
      settle();
      scans.delete(make());
      assert.deepEqual(woken(), [APPS, 'fleet.cattle.io/team/fleets', 'team/other']);
    }
  });

  it('wakes those for which it is and those for which it was', () => {
    const { scans, woken, settle } = setUp(repos);
    scans.put(fleetScan({ spec: { gitrepoName: 'fleets' } }));
    assert.deepEqual(woken(), ['fleet.cattle.io/team/fleets']);
    settle();
    scans.put(fleetScan({ spec: { gitrepoName: 'other' } }));
    assert.deepEqual(woken(), ['fleet.cattle.io/team/fleets', 'team/other']);
    settle();
    scans.put(imageScan({ spec: { exportTo: ['far'], gitrepoName: 'none' } }));
    assert.deepEqual(woken(), ['far/apps']);
  });

  it('wakes for what a marker can show, and for nothing else', () => {
    const changes: [object, boolean][] = [
      [{ status: inForce }, true],
      [{ status: { ...inForce, latestTag: '1.1.0' } }, true],
      [{ status: { ...inForce, latestTag: '1.1.0', lastScanTime: '2026-01-01T00:00:00Z' } }, false],
      [{ status: inForce, spec: { interval: '5m' } }, true],
      [{ status: inForce, spec: { interval: '6m', pin: { tag: '1.0.0' } } }, false],
      [{ status: inForce, spec: { tagName: 'x' } }, true],
      [{ status: inForce, spec: { tagName: 'x', image: 'registry.example/api' } }, true],
      [{ status: inForce, spec: { tagName: 'x', image: 'registry.example/api', exportTo: ['far'] } }, true],
      [
        {
          status: inForce,
          metadata: { labels: { a: 'b' } },
          spec: { tagName: 'x', image: 'registry.example/api', exportTo: ['far'] },
        },
        false,
      ],
    ];
    const { scans, woken, settle } = setUp([own()]);
    scans.put(imageScan());
    for (const [parts, isWoken] of changes) {
      settle();
      scans.put(imageScan(parts));
      assert.deepEqual(woken(), isWoken ? [APPS] : [], JSON.stringify(parts));
    }
  });

  it('wakes for one that is not as its file says any more, in its own namespace', () => {
    let asked = 0;
    const { scans, woken, settle } = setUp(repos, () => {
      asked += 1;
      return true;
    });
    const scan = (spec: object, metadata: object = defined) => imageScan({ spec, metadata });
    scans.put(scan({ interval: '5m' }));
    settle();
    scans.put(scan({ interval: '6m' }));
    assert.deepEqual([woken(), asked], [[APPS, 'fleet.cattle.io/team/fleets', 'team/other'], 3]);
    settle();
    scans.put(scan({ interval: '6m' }, {}));
    assert.equal(woken().length, 3, 'somebody took the label off');
    settle();
    scans.put(scan({ interval: '7m' }, {}));
    assert.deepEqual(woken(), [], 'it is none of a definition');
  });

  it('asks no GitRepo again whose scans are as their files say', () => {
    const { scans, woken, settle } = setUp(repos);
    scans.put(imageScan({ metadata: defined }));
    settle();
    scans.put(imageScan({ metadata: defined, spec: { pin: { tag: '1.0.0' } } }));
    assert.deepEqual(woken(), []);
  });
});
