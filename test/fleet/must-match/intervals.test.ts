import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { scanDue } from '../../../reconciler/schedule.ts';
import { parseInterval } from '../../../scan/interval.ts';
import { fleetGitRepo, fleetScan } from '../../reconciler/samples.ts';

const MINUTE = 60_000;
const NOW = Date.parse('2026-05-06T07:08:09Z');
/** What Fleet takes for no interval: `0s` is what `fleet apply` makes of none. */
const NONE = [undefined, null, '0', '0s', '0h0m0s'];

describe('intervals are those of Fleet', () => {
  it('an ImageScan without interval, or with 0 or 0s, is scanned each 15 minutes', () => {
    const status = { observedGeneration: 1, lastScanTime: new Date(NOW).toISOString() };
    for (const interval of NONE) {
      const minutes = (scanDue(fleetScan({ spec: { interval }, status }), NOW) - NOW) / MINUTE;
      assert.equal(Math.round(minutes), 15, String(interval));
      assert.equal(parseInterval(interval), 15 * MINUTE, 'nor is it a mistake');
    }
  });

  it('a GitRepo without imageScanInterval, or with 0 or 0s, is written back each 15 minutes', () => {
    for (const imageScanInterval of NONE)
      assert.equal(
        parseInterval(fleetGitRepo({ spec: { imageScanInterval } }).spec.imageScanInterval),
        15 * MINUTE,
      );
  });

  it('every duration that the API server lets into an object of Fleet is read', () => {
    const part = fc.stringMatching(/^[0-9]{1,4}([.][0-9]{1,3})?(ns|us|µs|ms|s|m|h)$/);
    const duration = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(''));
    fc.assert(fc.property(duration, (text) => assert.ok(parseInterval(text) >= 1000)));
    assert.equal(parseInterval('5m'), 5 * MINUTE);
    assert.equal(parseInterval('1h30m'), 90 * MINUTE);
    assert.equal(parseInterval('1.5m'), 1.5 * MINUTE);
    for (const text of ['1d', '2w', '5', '']) assert.throws(() => parseInterval(text), text);
  });
});
