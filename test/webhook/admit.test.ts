import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { applyPatch } from 'rfc6902';
import type { Pod } from '../../core/pod.ts';
import { RESOLVED_ANNOTATION } from '../../core/resolution.ts';
import type { Scan } from '../../core/scan.ts';
import { admit } from '../../webhook/admit.ts';
import type { Answer } from '../../webhook/answer.ts';
import type { PodRequest } from '../../webhook/review.ts';
import { pods, scans } from '../core/arbitrary.ts';
import { historyOf, indexOf, scanOf, scanWithoutValue, valueOf } from '../core/samples.ts';
import { marked, patchOf, podOf, podRequestOf, reviewOf, UID } from './reviews.ts';

const NOW = new Date('2026-02-01T00:00:00Z');
const RECORD = '/metadata/annotations/fleetscan.io~1resolved';
const REQUIRED = { 'fleetscan.io/required': 'true' };

function answer(review: object, ...scans: Scan[]): Answer {
  return admit(podRequestOf(JSON.stringify(review)), indexOf(...scans), NOW).answer;
}

function updateOf(pod: Pod, oldPod: Pod): object {
  return reviewOf(pod, { operation: 'UPDATE', subResource: 'ephemeralcontainers', oldObject: oldPod });
}

const withDebug = (annotations: Record<string, string>, ...names: string[]): Pod => ({
  metadata: { annotations },
  spec: {
    containers: [{ name: 'app', image: 'nginx:1.0' }],
    ephemeralContainers: names.map((name) => ({ name, image: 'busybox:1.0' })),
  },
});

describe('admit', () => {
  it('gives a created pod the image and the record', () => {
    const { response } = answer(reviewOf(podOf(marked({ app: 'app' }))), scanOf());
    assert.equal(response.uid, UID);
    assert.equal(response.allowed, true);
    assert.equal(response.patchType, 'JSONPatch');
    assert.equal(response.warnings, undefined);
    const operations = patchOf({ response } as Answer);
    assert.deepEqual(
      operations?.map(({ op, path }) => `${op} ${path}`),
      ['replace /spec/containers/0/image', `add ${RECORD}`],
    );
  });

  it('looks in the namespace of the request, which the pod itself does not say', () => {
    const review = reviewOf(podOf(marked({ app: 'app' })), { namespace: 'lab' });
    assert.match(answer(review, scanOf()).response.warnings?.[0] ?? '', /no scan app in namespace lab/);
  });

  it('has nothing to say to a pod without markers', () => {
    assert.deepEqual(answer(reviewOf(podOf()), scanOf()).response, { uid: UID, allowed: true });
  });

  it('lets a pod in as it is written when there is no answer, and warns', () => {
    assert.deepEqual(answer(reviewOf(podOf(marked({ app: 'app' })))).response, {
      uid: UID,
      allowed: true,
      warnings: [
        'fleetscan: app: UnknownScan: no scan app in namespace team, and none exported to it (stays nginx:1.0)',
      ],
      auditAnnotations: {
        images: 'app: UnknownScan: no scan app in namespace team, and none exported to it',
      },
    });
  });

  it('changes nothing when it is invoked again, even when the value has changed in between', () => {
    const before = valueOf('nginx', '1.3');
    const review = reviewOf(podOf(marked({ app: 'app', gone: 'app' })));
    const pod: Pod = structuredClone(podOf(marked({ app: 'app', gone: 'app' })));
    applyPatch(pod, (patchOf(answer(review, scanOf())) ?? []) as Parameters<typeof applyPatch>[1]);
    const next = valueOf('nginx', '1.4');
    for (const scan of [scanOf(), scanOf({ inForce: next, history: historyOf(next, before) })]) {
      const { response } = answer(reviewOf(pod), scan);
      assert.equal(response.allowed, true);
      assert.equal(response.patch, undefined);
      assert.equal(response.patchType, undefined);
    }
  });

  it('serves a sidecar that was injected between two invocations, and leaves the rest as it was', () => {
    const annotations = marked({ app: 'app', proxy: 'app' });
    const first = patchOf(answer(reviewOf(podOf(annotations)), scanOf())) ?? [];
    const pod: Pod = {
      metadata: { annotations: { ...annotations, [RESOLVED_ANNOTATION]: first[1]!.value } },
      spec: {
        containers: [
          { name: 'proxy', image: 'nginx:0.9' },
          { name: 'app', image: first[0]!.value },
        ],
      },
    };
    const [image, record, ...more] = patchOf(answer(reviewOf(pod), scanOf())) ?? [];
    assert.deepEqual(more, []);
    assert.deepEqual(image, { op: 'replace', path: '/spec/containers/0/image', value: 'nginx:1.3' });
    assert.deepEqual(JSON.parse(record!.value).app, JSON.parse(first[1]!.value).app);
  });
});

describe('admit, of ephemeral containers', () => {
  const annotations = marked({ app: 'app', old: 'app', new: 'app' });

  it('touches the new ones only, and writes no annotation, which would be lost', () => {
    const review = updateOf(withDebug(annotations, 'old', 'new'), withDebug(annotations, 'old'));
    const { answer, decisions } = admit(podRequestOf(JSON.stringify(review)), indexOf(scanOf()), NOW);
    assert.deepEqual(patchOf(answer), [
      { op: 'replace', path: '/spec/ephemeralContainers/1/image', value: 'nginx:1.3' },
    ]);
    assert.equal(decisions.length, 1);
    assert.equal(answer.response.warnings, undefined);
  });

  it('neither adds to a record nor takes one away', () => {
    const recorded = { ...marked({ old: 'app' }), [RESOLVED_ANNOTATION]: '{"old":"forged"}' };
    const review = updateOf(withDebug(recorded, 'old'), withDebug(recorded, 'old'));
    assert.deepEqual(answer(review, scanOf()).response, { uid: UID, allowed: true });
  });

  it('takes a pod that had none', () => {
    const operations = patchOf(answer(updateOf(withDebug(annotations, 'new'), withDebug({})), scanOf()));
    assert.deepEqual(
      operations?.map(({ path }) => path),
      ['/spec/ephemeralContainers/0/image'],
    );
  });

  it('denies where the pod requires it and a new one cannot be resolved', () => {
    const required = { ...REQUIRED, ...marked({ app: 'nobody', new: 'nobody' }) };
    const { response } = answer(updateOf(withDebug(required, 'new'), withDebug(required)), scanOf());
    assert.equal(response.allowed, false);
    assert.match(response.status?.message ?? '', /new: UnknownScan/);
    assert.doesNotMatch(response.status?.message ?? '', /app: /);
  });
});

describe('admit, where the pod requires an answer', () => {
  const denied: [pod: Pod, scans: Scan[], message: RegExp, why: string][] = [
    [
      podOf({ ...REQUIRED, ...marked({ app: 'app' }) }),
      [],
      /app: UnknownScan: no scan app in namespace team/,
      'no scan',
    ],
    [
      podOf({ ...REQUIRED, ...marked({ app: 'app' }) }),
      [scanWithoutValue()],
      /app: NoValue: scan team\/app/,
      'no value',
    ],
    [
      podOf({ ...REQUIRED, ...marked({ app: 'app:x' }) }),
      [scanOf()],
      /app: UnknownForm: "x" is no form/,
      'no form',
    ],
    [
      podOf({ ...REQUIRED, ...marked({ app: '{' }) }),
      [scanOf()],
      /app: InvalidMarker: marker "\{" is not JSON/,
      'no JSON',
    ],
  ];
  for (const [pod, scans, message, why] of denied) {
    it(`denies with the container and the reason: ${why}`, () => {
      const { response } = answer(reviewOf(pod), ...scans);
      assert.equal(response.allowed, false);
      assert.equal(response.status?.code, 403);
      assert.match(response.status.message, /^fleetscan\.io\/required is "true" and app: /);
      assert.match(response.status.message, message);
      assert.equal(response.patch ?? response.patchType ?? response.warnings, undefined);
    });
  }

  it('names each of several', () => {
    const pod: Pod = {
      metadata: { annotations: { ...REQUIRED, ...marked({ app: 'app', web: 'nobody', db: '{' }) } },
      spec: { containers: ['app', 'web', 'db'].map((name) => ({ name, image: 'x:1' })) },
    };
    const message = answer(reviewOf(pod), scanOf()).response.status?.message ?? '';
    assert.match(message, /web: UnknownScan: .*; db: InvalidMarker: /);
    assert.doesNotMatch(message, /app: /);
  });

  const allowed: [annotations: Record<string, string>, why: string][] = [
    [{ ...REQUIRED, ...marked({ app: 'app' }) }, 'all is resolved'],
    [{ ...REQUIRED, ...marked({ app: 'app', web: 'app' }) }, 'a container may yet be injected'],
    [{ 'fleetscan.io/required': 'false', ...marked({ app: 'nobody' }) }, 'it says false'],
    [{ 'fleetscan.io/required': 'True', ...marked({ app: 'nobody' }) }, 'it says something else than true'],
    [REQUIRED, 'nothing is marked'],
  ];
  for (const [annotations, why] of allowed) {
    it(`allows where ${why}`, () =>
      assert.equal(answer(reviewOf(podOf(annotations)), scanOf()).response.allowed, true));
  }
});

describe('any answer', () => {
  const requests = fc
    .tuple(pods, fc.constantFrom('' as const, 'ephemeralcontainers' as const))
    .map(
      ([pod, subResource]): PodRequest => ({ kind: 'Pod', uid: UID, namespace: 'team', subResource, pod }),
    );

  it('can be given: short warnings without control characters, patch and patchType both or none', () => {
    let warned = 0;
    fc.assert(
      fc.property(requests, scans, (request, scans) => {
        const { response } = admit(request, indexOf(...scans), NOW).answer;
        assert.equal(response.uid, UID);
        assert.equal(response.patch === undefined, response.patchType === undefined);
        if (!response.allowed) assert.equal(response.patch, undefined);
        const texts = [
          ...(response.warnings ?? []),
          response.status?.message ?? '',
          response.auditAnnotations?.['images'] ?? '',
        ];
        for (const text of texts) {
          assert.doesNotMatch(text, /\p{Cc}/u);
          assert.ok(text.isWellFormed());
        }
        for (const warning of response.warnings ?? []) assert.ok(warning.length <= 256);
        warned += response.warnings?.length ?? 0;
      }),
      { numRuns: 1000 },
    );
    assert.ok(warned > 100, `only ${warned} warnings: the pods no longer have what is warned of`);
  });

  it('of ephemeral containers speaks of nothing else', () => {
    fc.assert(
      fc.property(pods, scans, (pod, scans) => {
        const request = {
          kind: 'Pod',
          uid: UID,
          namespace: 'team',
          subResource: 'ephemeralcontainers',
          pod,
        } as const;
        for (const { path } of patchOf(admit(request, indexOf(...scans), NOW).answer) ?? [])
          assert.match(path, /^\/spec\/ephemeralContainers\/\d\/image$/);
      }),
    );
  });
});
