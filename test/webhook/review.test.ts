import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { parseReview, ReviewError } from '../../webhook/review.ts';
import { imageScanReviewOf, podOf, podRequestOf, reviewOf, UID } from './reviews.ts';

const NEITHER =
  'request.kind is neither v1 Pod nor ImageScan of fleet.cattle.io: the webhook configuration asks for those only';
const read = (review: unknown): ReturnType<typeof parseReview> => parseReview(JSON.stringify(review));
const withRequest = (request: Record<string, unknown>): Record<string, unknown> => reviewOf(podOf(), request);
const withPod = (pod: unknown): Record<string, unknown> => reviewOf(pod);
const withSpec = (spec: unknown): Record<string, unknown> => reviewOf({ spec });

describe('parseReview', () => {
  it('reads the creation of a pod', () => {
    const pod = podOf({ a: 'b' });
    assert.deepEqual(read(reviewOf(pod)), { kind: 'Pod', uid: UID, namespace: 'team', subResource: '', pod });
  });

  it('reads an update of ephemeral containers', () => {
    const request = { operation: 'UPDATE', subResource: 'ephemeralcontainers', oldObject: podOf() };
    assert.deepEqual(read(withRequest(request)), {
      kind: 'Pod',
      uid: UID,
      namespace: 'team',
      subResource: 'ephemeralcontainers',
      pod: podOf(),
      oldPod: podOf(),
    });
  });

  it('hands the pod on whole, with fields that it does not know', () => {
    const pod = {
      metadata: { name: 'x', managedFields: [{ manager: 'kubectl' }] },
      spec: { nodeName: 'n' },
      status: {},
    };
    assert.deepEqual(podRequestOf(JSON.stringify(reviewOf(pod))).pod, pod);
  });

  it("reads the creation and the update of an ImageScan of Fleet's", () => {
    const labels = { 'fleet.cattle.io/commit': 'abc' };
    for (const operation of ['CREATE', 'UPDATE']) {
      const review = imageScanReviewOf({ name: 'web', labels, annotations: null }, { operation });
      const metadata = { labels, annotations: undefined };
      assert.deepEqual(read(review), { kind: 'ImageScan', uid: UID, metadata });
    }
  });

  const imageScans: [review: Record<string, unknown>, message: string][] = [
    [
      imageScanReviewOf({}, { operation: 'UPDATE', subResource: 'status' }),
      'request is UPDATE of imagescans/status: the webhook configuration asks for CREATE and UPDATE of imagescans only',
    ],
    [
      imageScanReviewOf({}, { operation: 'DELETE' }),
      'request is DELETE of imagescans: the webhook configuration asks for CREATE and UPDATE of imagescans only',
    ],
    [
      imageScanReviewOf({}, { kind: { group: 'fleetscan.io', version: 'v1alpha1', kind: 'ImageScan' } }),
      NEITHER,
    ],
    [imageScanReviewOf(undefined), 'request.object.metadata is not an object'],
    [imageScanReviewOf({ labels: [] }), 'request.object.metadata.labels is not an object'],
    [imageScanReviewOf({ labels: { a: 1 } }), 'request.object.metadata.labels["a"] is not a string'],
    [
      imageScanReviewOf({ annotations: { a: null } }),
      'request.object.metadata.annotations["a"] is not a string',
    ],
    [imageScanReviewOf({}, { uid: undefined }), 'request.uid is not a string'],
  ];
  for (const [review, message] of imageScans) {
    it(`refuses an ImageScan: ${message}`, () =>
      assert.throws(() => read(review), { name: 'ReviewError', code: 'InvalidReview', message }));
  }

  const nulls: [pod: unknown, why: string][] = [
    [{}, 'nothing in it'],
    [{ metadata: null, spec: null }, 'null for its parts'],
    [{ metadata: { annotations: null } }, 'null annotations'],
    [
      { spec: { containers: null, initContainers: null, ephemeralContainers: null, volumes: null } },
      'null lists',
    ],
    [
      { spec: { containers: [{ name: 'app', image: null }], volumes: [{ name: 'v', image: null }] } },
      'null images',
    ],
    [{ spec: { volumes: [{ name: 'v', image: { reference: null } }] } }, 'a null reference'],
  ];
  for (const [pod, why] of nulls)
    it(`takes a pod with ${why}`, () =>
      assert.deepEqual(podRequestOf(JSON.stringify(reviewOf(pod))).pod, pod));

  const bodies: [body: string, message: RegExp][] = [
    ['', /^the body is not JSON$/],
    ['{"request":', /^the body is not JSON$/],
    ['\ufeff{}', /^the body is not JSON$/],
    ['null', /^the body is not an object$/],
    ['[]', /^the body is not an object$/],
    ['"review"', /^the body is not an object$/],
    ['{}', /^request is not an object$/],
    ['{"request":[]}', /^request is not an object$/],
    ['{"response":{"uid":"x"}}', /^request is not an object$/],
  ];
  for (const [body, message] of bodies) {
    it(`refuses ${JSON.stringify(body)}`, () =>
      assert.throws(() => parseReview(body), { name: 'ReviewError', code: 'InvalidReview', message }));
  }

  const only =
    'the webhook configuration asks for CREATE of pods and UPDATE of pods/ephemeralcontainers only';
  const reviews: [review: Record<string, unknown>, message: string, why: string][] = [
    [withRequest({ uid: undefined }), 'request.uid is not a string', 'no uid: there is no answer without'],
    [withRequest({ uid: 1 }), 'request.uid is not a string', 'a number for it'],
    [withRequest({ kind: undefined }), 'request.kind is not an object', 'no kind'],
    [withRequest({ kind: { group: 'apps', version: 'v1', kind: 'Deployment' } }), NEITHER, 'another kind'],
    [withRequest({ kind: { group: '', version: 'v2', kind: 'Pod' } }), NEITHER, 'a version to come'],
    [withRequest({ namespace: undefined }), 'request.namespace is not a string', 'no namespace'],
    [withRequest({ operation: undefined }), 'request.operation is not a string', 'no operation'],
    [
      withRequest({ operation: 'UPDATE' }),
      `request is UPDATE of pods: ${only}`,
      'it would restart a container',
    ],
    [
      withRequest({ operation: 'UPDATE', subResource: 'status' }),
      `request is UPDATE of pods/status: ${only}`,
      'what the kubelet writes is not ours to change',
    ],
    [withRequest({ operation: 'DELETE' }), `request is DELETE of pods: ${only}`, 'nothing to change'],
    [
      withRequest({ operation: 'CREATE', subResource: 'ephemeralcontainers' }),
      `request is CREATE of pods/ephemeralcontainers: ${only}`,
      'no such thing',
    ],
    [withRequest({ subResource: null }), 'request.subResource is not a string', 'null for a text'],
    [withRequest({ object: null }), 'request.object is not an object', 'no pod'],
    [withRequest({ oldObject: 'x' }), 'request.oldObject is not an object', 'a text for a pod'],
    [withPod([]), 'request.object is not an object', 'a list for a pod'],
    [withPod({ metadata: 1 }), 'request.object.metadata is not an object', 'a number for metadata'],
    [
      withPod({ metadata: { annotations: [] } }),
      'request.object.metadata.annotations is not an object',
      'a list',
    ],
    [
      withPod({ metadata: { annotations: { 'a/b': 1 } } }),
      'request.object.metadata.annotations["a/b"] is not a string',
      'a number for an annotation',
    ],
    [withPod({ spec: 'x' }), 'request.object.spec is not an object', 'a text for the spec'],
    [withSpec({ containers: {} }), 'request.object.spec.containers is not a list', 'an object for a list'],
    [
      withSpec({ initContainers: [null] }),
      'request.object.spec.initContainers[0] is not an object',
      'null in a list',
    ],
    [
      withSpec({ containers: [{ name: 'a' }, {}] }),
      'request.object.spec.containers[1].name is not a string',
      'no name',
    ],
    [
      withSpec({ ephemeralContainers: [{ name: 'a', image: 1 }] }),
      'request.object.spec.ephemeralContainers[0].image is not a string',
      'a number for an image',
    ],
    [withSpec({ volumes: 'x' }), 'request.object.spec.volumes is not a list', 'a text for a list'],
    [
      withSpec({ volumes: [{ name: 'v', image: 'x' }] }),
      'request.object.spec.volumes[0].image is not an object',
      'a text for an image volume',
    ],
    [
      withSpec({ volumes: [{ name: 'v', image: { reference: {} } }] }),
      'request.object.spec.volumes[0].image.reference is not a string',
      'an object for its reference',
    ],
  ];
  for (const [review, message, why] of reviews) {
    it(`says "${message.slice(0, 70)}": ${why}`, () =>
      assert.throws(() => read(review), { name: 'ReviewError', code: 'InvalidReview', message }));
  }

  it('takes any body, and throws no other error', () => {
    const object = fc.object({
      key: fc.constantFrom('metadata', 'spec', 'containers', 'annotations', 'name', 'image'),
    });
    const request = fc.record(
      { object, oldObject: object, subResource: fc.anything() },
      { requiredKeys: ['object'] },
    );
    const labelled = fc.object({ key: fc.constantFrom('labels', 'annotations') });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          request.map((given) => JSON.stringify(withRequest(given))),
          labelled.map((metadata) => JSON.stringify(imageScanReviewOf(metadata))),
        ),
        (body) => {
          try {
            parseReview(body);
          } catch (error) {
            assert.ok(error instanceof ReviewError, String(error));
          }
        },
      ),
    );
  });
});
