import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fleetScanFailure, fleetScanStatusAfter } from '../../../reconciler/fleet/scan-status.ts';
import type { StoredScan } from '../../../reconciler/stores.ts';
import type { ScanResult } from '../../../scan/scan.ts';
import { DIGEST, fleetScan } from '../samples.ts';

const NAME = 'registry.example/web';
const T1 = new Date('2026-01-01T00:00:00.500Z');
const T2 = new Date('2026-01-01T00:15:00.500Z');
const [T1_TEXT, T2_TEXT] = ['2026-01-01T00:00:00Z', '2026-01-01T00:15:00Z'];

const selected: ScanResult = {
  kind: 'selected',
  value: { name: NAME, canonicalName: NAME, tag: '1.0.0', digest: DIGEST },
  tagCount: 7,
  candidates: [],
};
const refused: ScanResult = { kind: 'failed', reason: 'Unauthorized', message: 'the registry refuses' };

interface After {
  readonly now?: Date;
  readonly request?: string;
  readonly namesakes?: readonly string[];
}

/** The patch that a result makes of a scan's status, as it is sent. */
function patch(scan: StoredScan, result: ScanResult, { now = T1, request, namesakes = [] }: After = {}) {
  return fleetScanStatusAfter(scan, result, { request, namesakes, now });
}

/** The scan with the status that a result makes of it. */
function after(scan: StoredScan, result: ScanResult, more?: After): StoredScan {
  return fleetScan({ status: { ...scan.status, ...patch(scan, result, more) } });
}

const MESSAGE = 'Unauthorized: the registry refuses';
const ready = {
  type: 'Ready',
  status: 'True',
  reason: 'InForce',
  message: `1.0.0 (${DIGEST.slice(0, 19)}) is in force`,
  lastTransitionTime: T1_TEXT,
  lastUpdateTime: T1_TEXT,
};

describe('the status of an ImageScan of Fleet', () => {
  it('has after a success what Fleet writes and Ready, and nothing else that only ours have', () => {
    const scan = fleetScan({ metadata: { generation: 4 } });
    assert.deepEqual(patch(scan, selected, { request: 'please' }), {
      observedGeneration: 4,
      lastScanTime: T1_TEXT,
      canonicalImageName: NAME,
      latestTag: '1.0.0',
      latestImage: `${NAME}:1.0.0`,
      latestDigest: DIGEST,
      conditions: [
        { type: 'ImageScanned', status: 'True', lastTransitionTime: T1_TEXT, lastUpdateTime: T1_TEXT },
        ready,
      ],
    });
  });

  it('is after a failure as Fleet has it: an Error and Stalled, with our reason in the message, and no time or value', () => {
    const { conditions, ...rest } = patch(fleetScan(), refused);
    assert.deepEqual(rest, { observedGeneration: 1 });
    assert.deepEqual(
      conditions.map(({ type, status, reason, message }) => [type, status, reason, message]),
      [
        ['ImageScanned', 'False', 'Error', MESSAGE],
        ['Reconciling', 'False', undefined, undefined],
        ['Stalled', 'True', 'Stalled', MESSAGE],
        ['Ready', 'False', 'NoValue', `no tag has been chosen yet for ${NAME}`],
      ],
    );
  });

  it('keeps the value through a failure, and is Stalled no more after the recovery', () => {
    const good = after(fleetScan(), selected);
    const failed = after(good, refused, { now: T2 });
    assert.deepEqual({ ...failed.status, conditions: [] }, { ...good.status, conditions: [] });
    assert.equal(fleetScanFailure(failed), 'Unauthorized');
    const recovered = patch(failed, selected, { now: T2 });
    const [scanned, isReady, reconciling, stalled] = recovered.conditions;
    assert.deepEqual(scanned, {
      type: 'ImageScanned',
      status: 'True',
      lastTransitionTime: T2_TEXT,
      lastUpdateTime: T2_TEXT,
    });
    assert.equal(isReady?.reason, 'InForce');
    assert.equal(reconciling?.status, 'False');
    assert.deepEqual(stalled, {
      type: 'Stalled',
      status: 'False',
      lastTransitionTime: T2_TEXT,
      lastUpdateTime: T2_TEXT,
    });
    assert.equal(fleetScanFailure(fleetScan({ status: recovered })), undefined);
  });

  it("ends the Stalled that Fleet's own controller left behind", () => {
    const stalled = { type: 'Stalled', status: 'True', reason: 'Stalled', message: 'no tag found' };
    const scan = fleetScan({ status: { conditions: [stalled] } });
    const { conditions } = patch(scan, selected);
    assert.equal(conditions.find(({ type }) => type === 'Stalled')?.status, 'False');
  });

  it('takes the error that Fleet left behind for a failure of another kind', () => {
    const of = (message: string) =>
      fleetScanFailure(
        fleetScan({
          status: { conditions: [{ type: 'ImageScanned', status: 'False', reason: 'Error', message }] },
        }),
      );
    assert.equal(of('could not parse reference: x'), 'Error');
    assert.equal(of(''), 'Error');
    assert.equal(fleetScanFailure(fleetScan()), undefined);
  });

  it('leaves the conditions of others whole, with what we do not know of them', () => {
    const other = { type: 'Audited', status: 'True', lastUpdateTime: 'yesterday', severity: 'high' };
    const { conditions } = patch(fleetScan({ status: { conditions: [other] } }), selected);
    assert.deepEqual(conditions[0], other);
  });

  it('moves the times of conditions as wrangler does', () => {
    const first = after(fleetScan(), refused);
    const same = patch(first, refused, { now: T2 });
    assert.deepEqual(same.conditions, first.status.conditions);
    const differs = patch(first, { ...refused, message: 'again' }, { now: T2 });
    const [scanned] = differs.conditions;
    assert.equal(scanned?.lastTransitionTime, T1_TEXT);
    assert.equal(scanned?.lastUpdateTime, T2_TEXT);
  });

  it('says what may not have been meant, and that a tagName is borne twice', () => {
    const doubtful = { ...selected, warning: '2024 counts as version 2024.0.0' };
    const { conditions } = patch(fleetScan(), doubtful, { namesakes: ['fleet.cattle.io/team/b'] });
    const [scanned, isReady] = conditions;
    assert.equal(scanned?.message, '2024 counts as version 2024.0.0');
    assert.equal(isReady?.reason, 'DuplicateTagName');
  });

  it('has no null, which the API server would take for an order to delete', () => {
    for (const result of [selected, refused]) {
      assert.doesNotMatch(JSON.stringify(patch(fleetScan(), result)), /null/);
    }
  });
});
