import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OWN_SHARD, SHARD_LABEL } from '../../core/fleet-shard.ts';
import { only, type Release, render } from './chart.ts';

interface Webhook {
  clientConfig: unknown;
  namespaceSelector: { matchExpressions: { values: string[] }[] };
}

async function webhooks(release: Release = {}): Promise<Webhook[]> {
  return only(await render(release), 'MutatingWebhookConfiguration')['webhooks'] as Webhook[];
}

describe('the webhook configuration', () => {
  it('sends created pods and new ephemeral containers that have a marker, and fails open', async () => {
    assert.deepEqual(await webhooks(), [
      {
        name: 'pods.fleetscan.io',
        admissionReviewVersions: ['v1'],
        clientConfig: {
          service: { name: 'fleetscan', namespace: 'fleetscan-system', port: 443, path: '/mutate' },
        },
        rules: [
          {
            apiGroups: [''],
            apiVersions: ['v1'],
            resources: ['pods'],
            operations: ['CREATE'],
            scope: 'Namespaced',
          },
          {
            apiGroups: [''],
            apiVersions: ['v1'],
            resources: ['pods/ephemeralcontainers'],
            operations: ['UPDATE'],
            scope: 'Namespaced',
          },
        ],
        namespaceSelector: {
          matchExpressions: [
            {
              key: 'kubernetes.io/metadata.name',
              operator: 'NotIn',
              values: ['kube-system', 'kube-node-lease', 'fleetscan-system'],
            },
          ],
        },
        matchConditions: [
          {
            name: 'has-a-marker',
            expression:
              "has(object.metadata.annotations) && object.metadata.annotations.exists(k, k.startsWith('imagescan.fleetscan.io/'))",
          },
          {
            name: 'is-no-mirror-pod',
            expression:
              "!has(object.metadata.annotations) || !('kubernetes.io/config.mirror' in object.metadata.annotations)",
          },
        ],
        matchPolicy: 'Equivalent',
        reinvocationPolicy: 'IfNeeded',
        failurePolicy: 'Ignore',
        sideEffects: 'None',
        timeoutSeconds: 2,
      },
    ]);
  });

  it('keeps AKS from editing it', async () => {
    const { metadata } = only(await render(), 'MutatingWebhookConfiguration');
    assert.deepEqual(metadata.annotations, { 'admissions.enforcer/disabled': 'true' });
  });

  it('names a URL in place of the Service', async () => {
    const url = 'https://webhook.example.com:8443/mutate';
    const [webhook] = await webhooks({ set: { 'webhook.url': url } });
    assert.deepEqual(webhook?.clientConfig, { url });
  });

  it('leaves out further namespaces, each once', async () => {
    const [webhook] = await webhooks({ set: { 'webhook.excludeNamespaces': ['cni', 'kube-system'] } });
    assert.deepEqual(webhook?.namespaceSelector.matchExpressions[0]?.values, [
      'kube-system',
      'kube-node-lease',
      'fleetscan-system',
      'cni',
    ]);
  });

  it("sends Fleet's ImageScans that are not in our shard, of all namespaces, only when Fleet is taken over", async () => {
    for (const takeover of ['off', 'serve']) {
      assert.equal((await webhooks({ set: { 'fleet.takeover': takeover } })).length, 1, takeover);
    }
    const [pods, imageScans, ...more] = await webhooks({ set: { 'fleet.takeover': 'take-over' } });
    assert.deepEqual(more, []);
    assert.deepEqual(imageScans, {
      name: 'fleet-imagescans.fleetscan.io',
      admissionReviewVersions: ['v1'],
      clientConfig: pods?.clientConfig,
      rules: [
        {
          apiGroups: ['fleet.cattle.io'],
          apiVersions: ['v1alpha1'],
          resources: ['imagescans'],
          operations: ['CREATE', 'UPDATE'],
          scope: 'Namespaced',
        },
      ],
      matchConditions: [
        {
          name: 'is-not-in-our-shard',
          expression: `!has(object.metadata.labels) || !('${SHARD_LABEL}' in object.metadata.labels) || object.metadata.labels['${SHARD_LABEL}'] != '${OWN_SHARD}'`,
        },
      ],
      matchPolicy: 'Equivalent',
      reinvocationPolicy: 'IfNeeded',
      failurePolicy: 'Ignore',
      sideEffects: 'None',
      timeoutSeconds: 2,
    });
  });

  it("sends Fleet's ImageScans to the same URL as pods", async () => {
    const url = 'https://webhook.example.com:8443/mutate';
    const found = await webhooks({ set: { 'webhook.url': url, 'fleet.takeover': 'take-over' } });
    assert.deepEqual(
      found.map(({ clientConfig }) => clientConfig),
      [{ url }, { url }],
    );
  });
});
