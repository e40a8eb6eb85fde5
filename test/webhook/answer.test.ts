import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Decision } from '../../core/decision.ts';
import { allow, deny } from '../../webhook/answer.ts';
import { patchOf } from './reviews.ts';

type Kept = Extract<Decision, { kind: 'kept' }>;
const image = {
  kind: 'container',
  name: 'app',
  image: 'nginx:1.0',
  path: '/spec/containers/0/image',
} as const;
const resolved: Decision = {
  kind: 'resolved',
  image,
  to: 'nginx:1.3',
  resolution: {
    from: 'nginx:1.0',
    to: 'nginx:1.3',
    scan: 'team/app',
    generation: 1,
    time: '2026-01-01T00:00:00Z',
  },
};
const kept = (differences: Partial<Kept> = {}): Kept => ({
  kind: 'kept',
  name: 'app',
  image,
  reason: 'NoValue',
  message: 'scan team/app has no result yet',
  ...differences,
});

describe('allow', () => {
  it('has patch and patchType, and tells the audit log', () => {
    const operations = [{ op: 'replace', path: image.path, value: 'nginx:1.3' }] as const;
    const answer = allow('u-1', [resolved], operations);
    assert.deepEqual(answer, {
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      response: {
        uid: 'u-1',
        allowed: true,
        patchType: 'JSONPatch',
        patch: answer.response.patch,
        auditAnnotations: { images: 'app: nginx:1.0 -> nginx:1.3 by team/app' },
      },
    });
    assert.deepEqual(patchOf(answer), operations);
  });

  it('has neither where there is nothing to change', () => {
    assert.deepEqual(allow('u-1', [], []).response, { uid: 'u-1', allowed: true });
  });

  it('warns of each image that stays, and says which', () => {
    const decisions = [
      kept(),
      resolved,
      kept({ name: 'web', image: { ...image, image: 'web:1' }, reason: 'UnknownScan' }),
    ];
    const { warnings, auditAnnotations } = allow('u-1', decisions, []).response;
    assert.deepEqual(warnings, [
      'fleetscan: app: NoValue: scan team/app has no result yet (stays nginx:1.0)',
      'fleetscan: web: UnknownScan: scan team/app has no result yet (stays web:1)',
    ]);
    assert.equal(
      auditAnnotations?.['images'],
      'app: NoValue: scan team/app has no result yet; app: nginx:1.0 -> nginx:1.3 by team/app; ' +
        'web: UnknownScan: scan team/app has no result yet',
    );
  });

  it('says of a container that is not there that nothing stays', () => {
    const { image: _none, ...absent } = kept({
      reason: 'UnknownContainer',
      message: 'the pod has no container web',
    });
    assert.deepEqual(allow('u-1', [absent], []).response.warnings, [
      'fleetscan: app: UnknownContainer: the pod has no container web',
    ]);
  });

  it('cuts what is too long, and keeps to one line: the API server would drop it', () => {
    const message = `a\nb\u0000c\u2028${'x'.repeat(5000)}`;
    const { warnings, auditAnnotations } = allow('u-1', [kept({ message })], []).response;
    assert.match(warnings?.[0] ?? '', /^fleetscan: app: NoValue: a b c x+…$/);
    assert.equal(warnings?.[0]?.length, 250);
    assert.equal(auditAnnotations?.['images']?.length, 1024);
  });
});

describe('deny', () => {
  it('names every container and reason, and neither patches nor warns', () => {
    const answer = deny('u-1', [
      kept(),
      kept({ name: 'web', reason: 'UnknownScan', message: 'no scan web' }),
    ]);
    const reasons = 'app: NoValue: scan team/app has no result yet; web: UnknownScan: no scan web';
    assert.deepEqual(answer.response, {
      uid: 'u-1',
      allowed: false,
      status: { code: 403, reason: 'Forbidden', message: `fleetscan.io/required is "true" and ${reasons}` },
      auditAnnotations: { images: reasons },
    });
  });

  it('keeps its message to one line of 1024 characters', () => {
    const { status } = deny('u-1', [kept({ message: 'x\n'.repeat(5000) })]).response;
    assert.equal(status?.message.length, 1024);
    assert.doesNotMatch(status?.message ?? '', /\n/);
  });
});
