import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SCAN_REQUEST_ANNOTATION } from '../../kube/kinds/image-scan.ts';
import { IntervalError, intervalMs, isScanRequested, parseInterval } from '../../scan/interval.ts';
import { imageScan } from '../reconciler/samples.ts';

const MINUTE = 60_000;

describe('intervalMs', () => {
  for (const absent of [undefined, null, '0', '0s']) {
    it(`takes ${JSON.stringify(absent)} for 15 minutes`, () => assert.equal(intervalMs(absent), 15 * MINUTE));
  }

  it('reads a Go duration', () => assert.equal(intervalMs('1h30m'), 90 * MINUTE));

  it('takes nothing below a second, so that no spec makes us ask without a pause', () => {
    assert.equal(intervalMs('1ns'), 1000);
    assert.equal(intervalMs('999ms'), 1000);
  });

  it('gives a schedule 15 minutes where the text is no duration, which parseInterval refuses', () => {
    assert.equal(intervalMs('1d'), 15 * MINUTE);
    assert.throws(
      () => parseInterval('1d'),
      (error) =>
        error instanceof IntervalError &&
        error.code === 'InvalidInterval' &&
        error.message === 'the interval "1d" is not a duration; write it like 30s, 15m or 1h30m',
    );
  });
});

describe('isScanRequested', () => {
  const asked = (request: string | undefined, handled: string | undefined) =>
    imageScan({
      metadata: { annotations: request === undefined ? {} : { [SCAN_REQUEST_ANNOTATION]: request } },
      status: handled === undefined ? {} : { lastHandledScanRequest: handled },
    });

  it('is true of a request that was not answered, whatever it says', () => {
    assert.equal(isScanRequested(asked('now', undefined)), true);
    assert.equal(isScanRequested(asked('', undefined)), true);
    assert.equal(isScanRequested(asked('second', 'first')), true);
  });

  it('is false without one, and of one that was answered', () => {
    assert.equal(isScanRequested(asked(undefined, undefined)), false);
    assert.equal(isScanRequested(asked(undefined, 'first')), false);
    assert.equal(isScanRequested(asked('first', 'first')), false);
  });
});
