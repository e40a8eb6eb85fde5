import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { outcome } from '../../kubectl-plugin/scan-outcome.ts';
import type { Condition } from '../../kube/kinds/common.ts';
import { type ImageScan, type ImageScanStatus, parseImageScan } from '../../kube/kinds/image-scan.ts';

const NEVER: ImageScanStatus = {};
const OLD = inForce('1.2.0', 'a');

describe('what a scan came to', () => {
  it('is a new tag in force', () => {
    assert.deepEqual(outcome(OLD, scan(inForce('1.3.0', 'b'))), { text: '1.2.0 -> 1.3.0', succeeded: true });
  });

  it('is the first tag in force', () => {
    assert.deepEqual(outcome(NEVER, scan(OLD)), { text: '<none> -> 1.2.0', succeeded: true });
  });

  it('is another digest of the same tag', () => {
    const text = '1.2.0 moved: sha256:aaaaaaaaaaaa -> sha256:bbbbbbbbbbbb';
    assert.deepEqual(outcome(OLD, scan(inForce('1.2.0', 'b'))), { text, succeeded: true });
  });

  it('is the same tag of another image, when the spec names another', () => {
    const text = 'example.com/web:1.2.0 -> example.com/shop:1.2.0';
    assert.deepEqual(outcome(OLD, scan(inForce('1.2.0', 'a', 'example.com/shop'))), {
      text,
      succeeded: true,
    });
  });

  it('is nothing new, with what the reconciler says of its choice', () => {
    const text = '1.2.0 unchanged: chose 1.2.0 among 3 tags';
    assert.deepEqual(outcome(OLD, scan(OLD)), { text, succeeded: true });
  });

  it('is a newer tag that waits', () => {
    const pending = { tag: '1.3.0', since: '2026-01-01T00:00:00Z', reason: 'TooYoung', message: 'for 2h' };
    const text = '1.2.0 unchanged: 1.3.0 waits: TooYoung: for 2h';
    assert.deepEqual(outcome(OLD, scan({ ...OLD, pending })), { text, succeeded: true });
  });

  it('is a failure, and what stays in force', () => {
    const failed = condition('ImageScanned', 'False', 'Unauthorized', 'the registry wants a password');
    const text = 'Unauthorized: the registry wants a password (1.2.0 stays in force)';
    assert.deepEqual(outcome(OLD, scan(OLD, failed)), { text, succeeded: false });
  });

  it('is a failure, and nothing in force', () => {
    const failed = condition('ImageScanned', 'False', 'NotFound', 'there is no such image');
    const notReady = condition('Ready', 'False', 'NoValue', 'no tag has been chosen yet');
    const text = 'NotFound: there is no such image (nothing is in force)';
    assert.deepEqual(outcome(NEVER, scan(NEVER, failed, notReady)), { text, succeeded: false });
  });

  it('is a failure, and a value that no longer counts', () => {
    const failed = condition('ImageScanned', 'False', 'NotFound', 'there is no such image');
    const stale = condition('Ready', 'False', 'StaleValue', 'it is of the image before');
    const text =
      'NotFound: there is no such image (pods do not get 1.2.0: StaleValue: it is of the image before)';
    assert.deepEqual(outcome(OLD, scan(OLD, failed, stale)), { text, succeeded: false });
  });

  it('is a value that pods do not get', () => {
    const quarrel = condition('Ready', 'False', 'DuplicateTagName', 'shop/other has the same tagName');
    const text = '1.2.0 -> 1.3.0, which pods do not get: DuplicateTagName: shop/other has the same tagName';
    const after = scan(inForce('1.3.0', 'b'), condition('ImageScanned', 'True', 'Scanned', ''), quarrel);
    assert.deepEqual(outcome(OLD, after), { text, succeeded: false });
  });
});

function inForce(latestTag: string, digit: string, canonicalImageName = 'example.com/web'): ImageScanStatus {
  const latestImage = `${canonicalImageName}:${latestTag}`;
  return { canonicalImageName, latestTag, latestImage, latestDigest: `sha256:${digit.repeat(64)}` };
}

function scan(status: ImageScanStatus, ...conditions: readonly Condition[]): ImageScan {
  const usual = [condition('ImageScanned', 'True', 'Scanned', `chose ${status.latestTag} among 3 tags`)];
  return parseImageScan({
    metadata: { name: 'web', namespace: 'shop' },
    spec: { image: 'example.com/web' },
    status: { ...status, conditions: conditions.length > 0 ? conditions : usual },
  });
}

function condition(type: string, status: Condition['status'], reason: string, message: string): Condition {
  return { type, status, reason, message };
}
