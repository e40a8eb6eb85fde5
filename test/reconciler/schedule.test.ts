import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { SCAN_REQUEST_ANNOTATION } from '../../kube/kinds/image-scan.ts';
import { periodicDue, retryDue, scanDue } from '../../reconciler/schedule.ts';
import { imageScan } from './samples.ts';

const NOW = Date.parse('2026-05-06T07:08:09Z');
const MINUTE = 60_000;
const ago = (ms: number): string => new Date(NOW - ms).toISOString();

/** A scan whose last one was so long ago, with nothing changed since. */
function scanned(agoMs: number, { name = 'web', interval = '15m' } = {}) {
  const status = { observedGeneration: 3, lastScanTime: ago(agoMs) };
  return imageScan({ metadata: { name, generation: 3 }, spec: { interval }, status });
}

describe('scanDue', () => {
  it('is now for a scan that is new, changed or asked for', () => {
    assert.equal(scanDue(imageScan(), NOW), NOW);
    const status = { observedGeneration: 3, lastScanTime: ago(0) };
    assert.equal(scanDue(imageScan({ metadata: { generation: 4 }, status }), NOW), NOW);
    const annotations = { [SCAN_REQUEST_ANNOTATION]: 'please' };
    assert.equal(scanDue(imageScan({ metadata: { generation: 3, annotations }, status }), NOW), NOW);
  });

  it('is an interval after the last scan, give or take a twentieth', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.integer({ min: 0, max: 10 * MINUTE }), (name, agoMs) => {
        const due = scanDue(scanned(agoMs, { name }), NOW);
        const nominal = NOW - agoMs + 15 * MINUTE;
        assert.ok(Math.abs(due - nominal) <= (15 * MINUTE) / 20, `${due - nominal} ms off`);
      }),
    );
  });

  it('is the same after a restart as before it', () => {
    const scan = scanned(5 * MINUTE);
    assert.equal(scanDue(scan, NOW), scanDue(scan, NOW + 3 * MINUTE));
  });

  it('survives an interval that is no duration, in an object older than the CRD', () => {
    assert.ok(scanDue(scanned(MINUTE, { interval: '1d' }), NOW) > NOW);
  });

  it('is at most an interval away, though a former clock was ahead', () => {
    const due = scanDue(scanned(-365 * 86_400_000), NOW);
    assert.ok(due <= NOW + 1.05 * 15 * MINUTE);
  });
});

describe('periodicDue', () => {
  const last = fc.option(
    fc.integer({ min: 0, max: 2 * NOW }).map((time) => new Date(time).toISOString()),
    { nil: undefined },
  );
  const interval = fc.integer({ min: 1000, max: 1000 * 3_600_000 });

  it('is never in the past, and never later than the interval and a twentieth', () => {
    fc.assert(
      fc.property(fc.string(), last, interval, (key, last, interval) => {
        const due = periodicDue(key, last, interval, NOW);
        assert.ok(due >= NOW, 'in the past');
        assert.ok(due <= NOW + interval * 1.05, 'too late');
      }),
    );
  });

  it('spreads what is overdue over a minute, or over the interval when that is shorter', () => {
    fc.assert(
      fc.property(fc.string(), interval, (key, interval) => {
        const due = periodicDue(key, ago(10 * interval), interval, NOW);
        assert.ok(due <= NOW + Math.min(MINUTE, interval));
      }),
    );
    const keys = Array.from({ length: 600 }, (_, index) => `team/scan-${index}`);
    const seconds = keys.map((key) =>
      Math.floor((periodicDue(key, ago(3_600_000), 15 * MINUTE, NOW) - NOW) / 1000),
    );
    const perSecond = Map.groupBy(seconds, (second) => second);
    assert.ok(Math.max(...perSecond.values().map((found) => found.length)) <= 30, 'ten are due in a second');
    assert.ok(perSecond.size > 50);
  });

  it('spreads what was never done successfully, such as a scan whose registry is down', () => {
    const keys = Array.from({ length: 100 }, (_, index) => `team/scan-${index}`);
    const dues = keys.map((key) => periodicDue(key, undefined, 15 * MINUTE, NOW));
    assert.ok(dues.filter((due) => due < NOW + 10_000).length < 40);
  });
});

describe('retryDue', () => {
  const DAY = 86_400_000;

  it('doubles from ten seconds up to the interval, with a twentieth of jitter', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5000 }),
        fc.integer({ min: 1000, max: DAY }),
        (count, interval) => {
          const nominal = Math.min(interval, 10_000 * 2 ** (count - 1));
          const pause = retryDue(count, interval, NOW) - NOW;
          assert.ok(Math.abs(pause - nominal) <= nominal / 20, `${pause} for ${nominal}`);
        },
      ),
    );
  });

  it('waits as long as the other side wants, which is not less than it would have', () => {
    assert.equal(retryDue(1, DAY, NOW, 3_600_000) - NOW, 3_600_000);
    assert.ok(retryDue(1, DAY, NOW, 1) - NOW >= 9500);
  });

  it('follows no wish beyond six hours', () => {
    for (const wish of [30 * DAY, Infinity]) assert.equal(retryDue(1, DAY, NOW, wish) - NOW, 6 * 3_600_000);
  });
});
