import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseFleetGitRepo, parseFleetImageScan } from '../../../kube/kinds/fleet.ts';
import { parseGitRepo } from '../../../kube/kinds/git-repo.ts';
import { parseImageScan } from '../../../kube/kinds/image-scan.ts';
import { type Found, type Item, plan } from '../../../kubectl-plugin/fleet/plan.ts';

const APPLIED = { 'fleet.cattle.io/repo-name': 'apps' };

function fleetScan(name: string, spec: object = {}, labels: object = {}) {
  const metadata = { name, namespace: 'shop', labels };
  return parseFleetImageScan({ metadata, spec: { image: 'nginx', interval: '5m', ...spec } });
}

function ownScan(name: string, spec: object = {}, metadata: object = {}) {
  const named = { name, namespace: 'shop', resourceVersion: '7', ...metadata };
  return parseImageScan({ metadata: named, spec: { image: 'nginx', ...spec } });
}

function fleetRepo(name: string, spec: object = {}) {
  return parseFleetGitRepo({ metadata: { name, namespace: 'shop' }, spec: { repo: 'https://x', ...spec } });
}

function planned(fleet: Partial<Found['fleet']>, own: Partial<Found['own']> = {}): Item[] {
  const none = { scans: [], gitRepos: [] };
  return plan({ fleet: { ...none, ...fleet }, own: { ...none, ...own } }).flat();
}

/** What becomes of each, in a word: the name that it gets, or why it gets none. */
function outcomes(items: readonly Item[]): string[] {
  return items.map((item) => {
    if (item.kind === 'apply') return item.object.metadata.name;
    return item.kind === 'carry' ? `defined as ${item.scan.metadata.name}` : `refused: ${item.message}`;
  });
}

describe('the name of an ImageScan', () => {
  it('is its tagName, where that can be a name', () => {
    const scans = [fleetScan('a', { tagName: 'web' }), fleetScan('b', { tagName: 'Web/2' }), fleetScan('c')];
    assert.deepEqual(outcomes(planned({ scans })), ['web', 'b', 'c']);
  });

  it("begins with the GitRepo's where Git defines it, as the reconciler names it", () => {
    const scans = [fleetScan('imagescan-apps-0', { tagName: 'web', gitrepoName: 'apps' }, APPLIED)];
    const [item] = planned({ scans });
    assert.ok(item?.kind === 'apply');
    assert.equal(item.object.metadata.name, 'apps-web');
    assert.deepEqual(item.object.metadata.labels, { 'fleetscan.io/defined-by': 'apps' });
  });

  it('is the one that it had with Fleet, where the better one is taken', () => {
    const scans = [
      fleetScan('a', { tagName: 'web', gitrepoName: 'one' }),
      fleetScan('b', { tagName: 'web', gitrepoName: 'two' }),
    ];
    assert.deepEqual(outcomes(planned({ scans })), ['web', 'b']);
    const own = { scans: [ownScan('web', { tagName: 'other' })] };
    assert.deepEqual(outcomes(planned({ scans: scans.slice(0, 1) }, own)), ['a']);
  });

  it('is that of an earlier run, whatever became free since', () => {
    const migrated = ownScan('a', { tagName: 'web' }, { annotations: { 'fleetscan.io/from-fleet': 'a' } });
    const [item] = planned({ scans: [fleetScan('a', { tagName: 'web' })] }, { scans: [migrated] });
    assert.ok(item?.kind === 'apply');
    assert.deepEqual([item.object.metadata.name, item.stored], ['a', '7']);
  });

  it('is none where all are taken', () => {
    const own = { scans: [ownScan('web', { tagName: 'x' }), ownScan('a', { tagName: 'y' })] };
    assert.deepEqual(outcomes(planned({ scans: [fleetScan('a', { tagName: 'web' })] }, own)), [
      'refused: the names web, a are taken by ImageScans that somebody else made',
    ]);
  });
});

describe('an ImageScan of ours that serves the same markers', () => {
  const scans = [fleetScan('imagescan-apps-0', { tagName: 'web', gitrepoName: 'apps' }, APPLIED)];
  const spec = { tagName: 'web', gitrepoName: 'apps' };

  it('stays as Git defines it, and gets the value in force', () => {
    const metadata = {
      labels: { 'fleetscan.io/defined-by': 'apps' },
      annotations: { 'fleetscan.io/defined-at': 'fleet.yaml:3' },
    };
    const own = { scans: [ownScan('apps-web', spec, metadata)] };
    assert.deepEqual(outcomes(planned({ scans }, own)), ['defined as apps-web']);
  });

  it('is left alone where a person made it', () => {
    assert.deepEqual(outcomes(planned({ scans }, { scans: [ownScan('mine', spec)] })), [
      'refused: ImageScan mine, which somebody else made, serves the same markers: it is left alone',
    ]);
  });
});

describe('GitRepos', () => {
  it('are those that an ImageScan names or that say how to commit, each after its ImageScans', () => {
    const gitRepos = [
      fleetRepo('plain'),
      fleetRepo('commits', { imageScanCommit: { authorName: 'Bot' } }),
      fleetRepo('often', { imageScanInterval: '1m' }),
      fleetRepo('apps'),
    ];
    const scans = [fleetScan('web', { gitrepoName: 'apps' }), fleetScan('lost', { gitrepoName: 'nowhere' })];
    const items = planned({ scans, gitRepos });
    assert.deepEqual(outcomes(items), ['web', 'apps', 'commits', 'often', 'lost']);
  });

  it('are left alone where a person made one of the same name', () => {
    const gitRepos = [fleetRepo('apps', { imageScanInterval: '1m' })];
    const there = (annotations: object) =>
      parseGitRepo({
        metadata: { name: 'apps', namespace: 'shop', annotations },
        spec: { repo: 'https://y' },
      });
    assert.deepEqual(outcomes(planned({ gitRepos }, { gitRepos: [there({})] })), [
      'refused: there is a GitRepo apps that somebody else made: it is left alone',
    ]);
    const migrated = there({ 'fleetscan.io/from-fleet': 'apps' });
    assert.deepEqual(outcomes(planned({ gitRepos }, { gitRepos: [migrated] })), ['apps']);
  });

  it("keep the compatibility that an annotation of Fleet's asked for", () => {
    const annotations = { 'fleetscan.io/compatibility': 'Fleet' };
    const raw = {
      metadata: { name: 'apps', namespace: 'shop', annotations },
      spec: { repo: 'https://x', imageScanInterval: '1m' },
    };
    const [item] = planned({ gitRepos: [parseFleetGitRepo(raw)] });
    assert.ok(item?.kind === 'apply' && 'repo' in item.object.spec);
    assert.equal(item.object.spec.compatibility, 'Fleet');
  });

  it('leave out a compatibility that is none, and say so', () => {
    const annotations = { 'fleetscan.io/compatibility': 'fleet' };
    const raw = {
      metadata: { name: 'apps', namespace: 'shop', annotations },
      spec: { repo: 'https://x', imageScanInterval: '1m' },
    };
    const [item] = planned({ gitRepos: [parseFleetGitRepo(raw)] });
    assert.ok(item?.kind === 'apply' && 'repo' in item.object.spec);
    assert.equal(item.object.spec.compatibility, undefined);
    assert.match(
      item.notes.join(),
      /^annotation fleetscan\.io\/compatibility is "fleet" .*: set spec\.compatibility$/,
    );
  });
});
