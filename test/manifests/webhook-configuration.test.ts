import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
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
});
