import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FLEET_GROUP } from '../../../core/group.ts';
import type { Defined } from '../../../reconciler/definitions/definition.ts';
import { leftBehindOf } from '../../../reconciler/definitions/left-behind.ts';
import { parseStoredScan, type StoredScan } from '../../../reconciler/stores.ts';
import { type Json, mergePatch } from '../../fakes/merge-patch.ts';
import { define, entries, FLEETS_OWNER, fleetScan, foreignScan, OWNER } from './samples.ts';

const [OLD, NEW] = ['1'.repeat(40), '2'.repeat(40)];
const DEPLOYED = { ...FLEETS_OWNER, deployedCommit: NEW };

/** As `fleet apply` makes it of a commit; with other labels, or of another object. */
function applied(index: number, tagName: string, commit: string, patch: Json = {}): StoredScan {
  const labels = { 'fleet.cattle.io/repo-name': 'apps', 'fleet.cattle.io/commit': commit };
  const metadata = { name: `imagescan-apps-${index}`, labels };
  const raw = mergePatch(mergePatch({ ...fleetScan(tagName) }, { metadata }), patch);
  return parseStoredScan(raw, FLEET_GROUP);
}

function leftBehind(scans: readonly StoredScan[], defined: Defined, owner = DEPLOYED): string[] {
  return leftBehindOf(owner, defined, NEW, scans).map(({ scan }) => scan.name);
}

const FILE = define({ 'fleet.yaml': entries('web') });
const WEB = applied(0, 'web', NEW);
const DB = applied(1, 'db', OLD);

describe('what fleet apply left behind', () => {
  it('is an ImageScan of an older commit that no file defines any more', () => {
    assert.deepEqual(leftBehind([WEB, DB], FILE), ['imagescan-apps-1']);
    assert.deepEqual(leftBehind([DB], define({})), ['imagescan-apps-1']);
  });

  it('is the last of a list from which an entry went: Fleet gave its tagName to another place', () => {
    const moved = [applied(0, 'b', NEW), applied(1, 'c', NEW), applied(2, 'c', OLD)];
    assert.deepEqual(leftBehind(moved, define({ 'fleet.yaml': entries('b', 'c') })), ['imagescan-apps-2']);
  });

  it('is none whose entry is still to be applied', () => {
    assert.deepEqual(leftBehind([applied(0, 'web', OLD)], FILE), []);
    assert.deepEqual(leftBehind([applied(0, 'b', OLD), applied(1, 'web', OLD)], define({})).length, 2);
  });

  it('is none while a mistake or a file that is not read may define it', () => {
    const wrong = (file: string): Defined => define({ 'fleet.yaml': file });
    assert.deepEqual(leftBehind([DB], wrong('imageScans:\n- {image: a}\n')), []);
    assert.deepEqual(leftBehind([DB], wrong('imageScans:\n- {tagName: db, image: a, x: 1}\n')), []);
    assert.deepEqual(leftBehind([DB], wrong('imageScans:\n- {tagName: a, image: a, x: 1}\n')).length, 1);
    const unread = [{ file: 'fleet.yaml', message: 'a symbolic link' }];
    assert.deepEqual(leftBehind([DB], { ...FILE, unread }), []);
    assert.deepEqual(leftBehind([DB], define({ 'fleetscan.yaml': entries('db') })), []);
  });

  it('is not known before Fleet deploys the commit that was read, nor where it names its bundles', () => {
    assert.deepEqual(leftBehind([DB], FILE, { ...DEPLOYED, deployedCommit: OLD }), []);
    assert.deepEqual(leftBehindOf(FLEETS_OWNER, FILE, NEW, [DB]), []);
  });

  it('is nothing that fleet apply did not make of this GitRepo, and nothing of ours', () => {
    const others = [
      applied(1, 'db', OLD, { metadata: { labels: { 'fleet.cattle.io/commit': null } } }),
      applied(1, 'db', OLD, { metadata: { labels: { 'fleet.cattle.io/repo-name': 'other' } } }),
      applied(1, 'db', OLD, { metadata: { labels: { 'fleet.cattle.io/repo-name': null } } }),
      applied(1, 'db', OLD, { metadata: { namespace: 'elsewhere' } }),
      applied(1, 'db', OLD, { spec: { gitrepoName: 'other' } }),
      applied(1, 'db', OLD, { metadata: { deletionTimestamp: '2026-01-02T03:04:05Z' } }),
      foreignScan('db', { image: 'ghcr.io/acme/web', gitrepoName: 'apps' }),
    ];
    assert.deepEqual(leftBehind(others, FILE), []);
    assert.deepEqual(leftBehind([DB], FILE, { ...OWNER, deployedCommit: NEW }), []);
  });
});
