import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { applyPatch } from 'rfc6902';
import { type Decision, decide } from '../../core/decision.ts';
import { imageOperations, type Operation, recordOperations } from '../../core/patch.ts';
import { type Pod, podImages } from '../../core/pod.ts';
import { RESOLVED_ANNOTATION } from '../../core/resolution.ts';
import type { Scan } from '../../core/scan.ts';
import { pods, scans } from './arbitrary.ts';
import { indexOf, valueOf } from './samples.ts';

const FIRST = new Date('2026-02-01T00:00:00Z');
const LATER = new Date('2026-02-01T00:00:01Z');

interface Outcome {
  readonly decisions: Decision[];
  readonly operations: Operation[];
}

function judge(pod: Pod, scans: Scan[], now: Date): Outcome {
  const decisions = decide({ pod, namespace: 'team', images: podImages(pod), scans: indexOf(...scans), now });
  return { decisions, operations: [...imageOperations(decisions), ...recordOperations(pod, decisions)] };
}

function patched(pod: Pod, operations: Operation[]): Pod {
  const copy: Pod = JSON.parse(JSON.stringify(pod));
  for (const failure of applyPatch(copy, operations)) assert.equal(failure, null);
  return copy;
}

/** The pod without what the webhook may change, so that all the rest can be compared. */
function others(pod: Pod, { decisions }: Outcome): Pod {
  const copy: Pod = JSON.parse(JSON.stringify(pod));
  applyPatch(
    copy,
    decisions
      .filter((decision) => decision.kind === 'resolved')
      .map(({ image }) => ({ op: 'add', path: image.path, value: 'masked' })),
  );
  delete (copy.metadata?.annotations as Record<string, string> | undefined)?.[RESOLVED_ANNOTATION];
  return copy;
}

const check = (property: (pod: Pod, scans: Scan[]) => void): void =>
  fc.assert(fc.property(pods, scans, property), { numRuns: 1000 });

describe('the patch of any pod, with any scans', () => {
  it('applies, gives the decided images, and changes nothing else', () => {
    let resolved = 0;
    check((pod, scans) => {
      const outcome = judge(pod, scans, FIRST);
      const after = patched(pod, outcome.operations);
      assert.deepEqual(others(after, outcome), others(pod, outcome));
      const images = new Map(podImages(after).map(({ path, image }) => [path, image]));
      for (const decision of outcome.decisions) {
        if (decision.image === undefined) continue;
        const expected = decision.kind === 'resolved' ? decision.to : decision.image.image;
        assert.equal(images.get(decision.image.path), expected);
        if (decision.kind === 'resolved') resolved += 1;
      }
    });
    assert.ok(resolved > 100, `only ${resolved} images were resolved: the pods and scans no longer meet`);
  });

  it('is empty on the pod that it made, a second later', () => {
    check((pod, scans) => {
      const after = patched(pod, judge(pod, scans, FIRST).operations);
      assert.deepEqual(judge(after, scans, LATER).operations, []);
    });
  });

  it('is empty on the pod that it made, when newer values came into force meanwhile', () => {
    check((pod, scans) => {
      const before = judge(pod, scans, FIRST);
      const moved = scans.map((scan): Scan => {
        const inForce = valueOf(scan.inForce?.name ?? 'nginx', '9.9');
        return { ...scan, inForce, history: [{ value: inForce, since: 0, cause: 'Scan' }, ...scan.history] };
      });
      const after = patched(pod, before.operations);
      const names = new Set(before.decisions.flatMap((it) => (it.kind === 'resolved' ? it.image.path : [])));
      const changed = imageOperations(judge(after, moved, LATER).decisions).map(({ path }) => path);
      assert.deepEqual(
        changed.filter((path) => names.has(path)),
        [],
      );
    });
  });

  it('never tests, and never speaks of a place twice', () => {
    check((pod, scans) => {
      const { operations } = judge(pod, scans, FIRST);
      for (const { op } of operations) assert.ok(['add', 'replace', 'remove'].includes(op));
      assert.equal(new Set(operations.map(({ path }) => path)).size, operations.length);
    });
  });

  it('records every image that it resolved, and none besides', () => {
    check((pod, scans) => {
      const { decisions, operations } = judge(pod, scans, FIRST);
      const record = patched(pod, operations).metadata?.annotations?.[RESOLVED_ANNOTATION];
      const resolved = decisions.filter((decision) => decision.kind === 'resolved');
      assert.deepEqual(
        Object.keys(JSON.parse(record ?? '{}')).toSorted(),
        resolved.map(({ image }) => image.name).toSorted(),
      );
    });
  });
});
