import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  IMAGE_SCANS,
  MUTATING_WEBHOOKS,
  NAMESPACES,
  type ObjectPath,
  PODS,
  urlPath,
} from '../../kube/resource.ts';

describe('urlPath', () => {
  const rows: [path: ObjectPath, expected: string][] = [
    [{ resource: PODS }, '/api/v1/pods'],
    [{ resource: PODS, namespace: 'a', name: 'x', subresource: 'log' }, '/api/v1/namespaces/a/pods/x/log'],
    [{ resource: NAMESPACES, name: 'a' }, '/api/v1/namespaces/a'],
    [
      { resource: IMAGE_SCANS, namespace: 'a', name: 'x', subresource: 'status' },
      '/apis/fleetscan.io/v1alpha1/namespaces/a/imagescans/x/status',
    ],
    [
      { resource: MUTATING_WEBHOOKS, name: 'fleetscan' },
      '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/fleetscan',
    ],
    [{ resource: PODS, namespace: '../b', name: 'x?y' }, '/api/v1/namespaces/..%2Fb/pods/x%3Fy'],
  ];
  for (const [path, expected] of rows) it(expected, () => assert.equal(urlPath(path), expected));
});
