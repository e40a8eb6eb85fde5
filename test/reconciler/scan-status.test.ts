import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { parseImageScan } from '../../kube/kinds/image-scan.ts';
import type { ScanResult } from '../../scan/scan.ts';
import { statusAfter, valueChange } from '../../reconciler/scan-status.ts';
import type { StoredScan } from '../../reconciler/stores.ts';
import { DIGEST, imageScan, OTHER_DIGEST, rawScan } from './samples.ts';

const NAME = 'registry.example/web';
const T1 = new Date('2026-01-01T00:00:00.000Z');
const T2 = new Date('2026-01-01T00:15:00.000Z');

function selected(tag: string, digest = DIGEST, name = NAME) {
  return { kind: 'selected' as const, value: { name, canonicalName: name, tag, digest }, tagCount: 7 };
}

const refused: ScanResult = { kind: 'failed', reason: 'Unauthorized', message: 'the registry refuses' };

interface After {
  readonly now?: Date;
  readonly request?: string;
  readonly namesakes?: readonly string[];
}

/** The scan with the status that a result makes of it. */
function after(scan: StoredScan, result: ScanResult, { now = T1, request, namesakes = [] }: After = {}) {
  return { ...scan, status: statusAfter(scan, result, { request, namesakes, now }) };
}

function conditionOf({ status }: StoredScan, type: string): string | undefined {
  const condition = status.conditions?.find((each) => each.type === type);
  return condition && `${condition.status} ${condition.reason}: ${condition.message}`;
}

describe('statusAfter a scan that chose a value', () => {
  it('puts it in force, with its history', () => {
    const { status } = after(imageScan({ metadata: { generation: 4 } }), selected('1.0.0'));
    const { conditions, ...rest } = status;
    assert.deepEqual(rest, {
      canonicalImageName: NAME,
      latestTag: '1.0.0',
      latestImage: `${NAME}:1.0.0`,
      latestDigest: DIGEST,
      history: [
        { tag: '1.0.0', digest: DIGEST, image: `${NAME}:1.0.0`, since: T1.toISOString(), cause: 'Scan' },
      ],
      tagCount: 7,
      lastScanTime: T1.toISOString(),
      observedGeneration: 4,
    });
    assert.deepEqual(
      conditions?.map(({ type, status, reason, observedGeneration }) => [
        type,
        status,
        reason,
        observedGeneration,
      ]),
      [
        ['ImageScanned', 'True', 'Scanned', 4],
        ['Ready', 'True', 'InForce', 4],
      ],
    );
  });

  it('adds nothing to the history when the value is the same, and moves the time of the scan', () => {
    const first = after(imageScan(), selected('1.0.0'));
    const second = after(first, selected('1.0.0'), { now: T2 });
    assert.deepEqual(second.status.history, first.status.history);
    assert.equal(second.status.lastScanTime, T2.toISOString());
    assert.equal(valueChange(first.status, second.status), undefined);
  });

  it('takes the same tag with another digest for another value', () => {
    const first = after(imageScan(), selected('1.0.0', DIGEST));
    const second = after(first, selected('1.0.0', OTHER_DIGEST), { now: T2 });
    assert.equal(second.status.latestDigest, OTHER_DIGEST);
    assert.deepEqual(
      second.status.history?.map(({ tag, digest, since }) => [tag, digest, since]),
      [
        ['1.0.0', OTHER_DIGEST, T2.toISOString()],
        ['1.0.0', DIGEST, T1.toISOString()],
      ],
    );
    assert.deepEqual(valueChange(first.status, second.status), {
      from: { tag: '1.0.0', digest: DIGEST },
      to: { tag: '1.0.0', digest: OTHER_DIGEST },
    });
  });

  it('keeps the newest ten values, newest first, whatever came', () => {
    const tags = fc.array(fc.constantFrom('1', '2', '3', '4'), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(tags, (tags) => {
        let scan = imageScan();
        const changes: string[] = [];
        for (const [index, tag] of tags.entries()) {
          if (changes[0] !== tag) changes.unshift(tag);
          scan = after(scan, selected(tag), { now: new Date(T1.getTime() + index * 1000) });
        }
        const history = scan.status.history ?? [];
        assert.deepEqual(
          history.map(({ tag }) => tag),
          changes.slice(0, 10),
        );
        const times = history.map(({ since }) => since);
        assert.deepEqual(times, times.toSorted().toReversed());
        assert.equal(history[0]?.tag, scan.status.latestTag);
      }),
    );
  });

  it('says in the condition what may not have been meant', () => {
    const scan = after(imageScan(), { ...selected('2024'), warning: '2024 counts as version 2024.0.0' });
    assert.equal(
      conditionOf(scan, 'ImageScanned'),
      'True Scanned: chose 2024 among 7 tags; 2024 counts as version 2024.0.0',
    );
  });

  it('is as the CRD wants it', () => {
    const { status } = after(imageScan(), selected('1.0.0'), { request: 'please' });
    assert.deepEqual(parseImageScan(rawScan({ status })).status, status);
  });
});

describe('statusAfter a scan that failed', () => {
  it('leaves all that is in force, and says so', () => {
    const first = after(imageScan(), selected('1.0.0'));
    const second = after(first, refused, { now: T2 });
    const { conditions: _before, ...before } = first.status;
    const { conditions: _now, ...now } = second.status;
    assert.deepEqual(now, before);
    assert.equal(conditionOf(second, 'ImageScanned'), 'False Unauthorized: the registry refuses');
    assert.equal(
      conditionOf(second, 'Ready'),
      `True InForce: 1.0.0 (${DIGEST.slice(0, 19)}) is in force; the last scan failed, so it stays`,
    );
  });

  it('counts as a scan for its time only when the registry did list its tags', () => {
    const first = after(imageScan(), selected('1.0.0'));
    const listed = after(
      first,
      { kind: 'failed', reason: 'NoTags', message: 'no tag found', tagCount: 0 },
      { now: T2 },
    );
    assert.equal(listed.status.lastScanTime, T2.toISOString());
    assert.equal(listed.status.tagCount, 0);
    assert.equal(listed.status.latestTag, '1.0.0');
    assert.equal(after(first, refused, { now: T2 }).status.lastScanTime, T1.toISOString());
  });

  it('is not ready while there never was a value', () => {
    const scan = after(imageScan(), refused);
    assert.equal(conditionOf(scan, 'Ready'), `False NoValue: no tag has been chosen yet for ${NAME}`);
  });

  it('is not ready while its value is of an image that the spec named before', () => {
    const first = after(imageScan(), selected('1.0.0'));
    const renamed = imageScan({ spec: { image: 'registry.example/api' }, status: first.status });
    const failed = after(renamed, refused);
    assert.equal(
      conditionOf(failed, 'Ready'),
      `False StaleValue: ${NAME}:1.0.0 is of the image that the spec named before; registry.example/api has no value yet`,
    );
    const again = after(failed, selected('1.0.0', DIGEST, 'registry.example/api'));
    assert.match(conditionOf(again, 'Ready') ?? '', /^True InForce: /);
    assert.equal(again.status.history?.length, 2);
  });

  it('is not ready with an image that cannot be read, and recovers', () => {
    const first = after(imageScan(), selected('1.0.0'));
    const broken = imageScan({ spec: { image: 'Registry.Example/WEB' }, status: first.status });
    assert.match(conditionOf(after(broken, refused), 'Ready') ?? '', /^False StaleValue: /);
  });
});

describe('statusAfter in either case', () => {
  it('answers the request that the scan was for, and no other', () => {
    const asked = after(imageScan(), refused, { request: 'first' });
    assert.equal(asked.status.lastHandledScanRequest, 'first');
    const annotations = { 'fleetscan.io/scan-requested-at': 'second, which came while it was scanned' };
    const meanwhile = imageScan({ metadata: { annotations }, status: asked.status });
    assert.equal(
      after(meanwhile, selected('1.0.0'), { request: 'first' }).status.lastHandledScanRequest,
      'first',
    );
    assert.equal(after(meanwhile, selected('1.0.0')).status.lastHandledScanRequest, 'first');
  });

  it('tells of a namesake, which comes before all else that Ready can say', () => {
    const quarrel = after(imageScan(), selected('1.0.0'), { namesakes: ['team/other'] });
    assert.equal(
      conditionOf(quarrel, 'Ready'),
      'False DuplicateTagName: team/other has the same tagName, so markers cannot tell them apart; rename one',
    );
    assert.match(conditionOf(quarrel, 'ImageScanned') ?? '', /^True Scanned/);
    assert.match(conditionOf(after(quarrel, selected('1.0.0')), 'Ready') ?? '', /^True InForce/);
  });

  it('moves the time of a condition only with its status', () => {
    const time = (scan: StoredScan, type: string): string | undefined =>
      scan.status.conditions?.find((each) => each.type === type)?.lastTransitionTime;
    const first = after(imageScan(), selected('1.0.0'), { now: T1 });
    const second = after(first, selected('2.0.0'), { now: T2 });
    assert.equal(time(second, 'ImageScanned'), time(first, 'ImageScanned'));
    const third = after(second, refused, { now: T2 });
    assert.notEqual(time(third, 'ImageScanned'), time(first, 'ImageScanned'));
    assert.equal(time(third, 'Ready'), time(first, 'Ready'));
  });

  it('keeps conditions that others set', () => {
    const foreign = { type: 'Reviewed', status: 'True', reason: 'ByHand' };
    const scan = after(imageScan({ status: { conditions: [foreign] } }), refused);
    assert.deepEqual(scan.status.conditions?.[0], foreign);
    assert.equal(scan.status.conditions?.length, 3);
  });
});

describe('valueChange', () => {
  const before = after(imageScan(), selected('1.0.0')).status;

  it('is one when the first value comes', () => {
    assert.deepEqual(valueChange({}, before), { to: { tag: '1.0.0', digest: DIGEST } });
  });

  it('is none without a value, and none when nothing is different', () => {
    assert.equal(valueChange({}, {}), undefined);
    assert.equal(valueChange(before, {}), undefined);
    assert.equal(valueChange(before, { ...before, lastScanTime: T2.toISOString() }), undefined);
  });

  it('is one when the image is another with the same tag and digest', () => {
    assert.notEqual(valueChange(before, { ...before, latestImage: 'registry.example/api:1.0.0' }), undefined);
  });
});
