import { OWN_GROUP } from '../../core/group.ts';
import type { Scan } from '../../core/scan.ts';

/** How many scans the webhook has in memory. */
export const SCANS = 10_000;
const NAMESPACES = 100;
const VALUES = 10;

/** One of the scans, with a full history. */
export function scanNumber(number: number): Scan {
  const name = `registry.example.com/team-${number % NAMESPACES}/app-${number}`;
  const history = Array.from({ length: VALUES }, (_, index) => ({
    value: {
      name,
      canonicalName: name,
      tag: `1.${VALUES - index}.0`,
      digest: `sha256:${String(number * VALUES + index).padStart(64, '0')}`,
    },
    since: Date.UTC(2026, 0, VALUES - index),
    cause: 'Scan' as const,
  }));
  const [newest] = history;
  return {
    group: OWN_GROUP,
    namespace: `team-${number % NAMESPACES}`,
    name: `app-${number}`,
    tagName: `app-${number}`,
    generation: 1,
    exportTo: [],
    history,
    ...(newest && { inForce: newest.value }),
  };
}

/** An AdmissionReview of a pod of about 4 kB, with two containers of which one is marked, as an API server sends it. */
export function review(): string {
  const container = (name: string, image: string): object => ({
    name,
    image,
    env: Array.from({ length: 8 }, (_, index) => ({
      name: `SETTING_${index}`,
      value: `value of setting ${index}`,
    })),
    ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
    resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
    livenessProbe: {
      httpGet: { path: '/healthz', port: 'http', scheme: 'HTTP' },
      timeoutSeconds: 1,
      periodSeconds: 10,
    },
    readinessProbe: {
      httpGet: { path: '/readyz', port: 'http', scheme: 'HTTP' },
      timeoutSeconds: 1,
      periodSeconds: 10,
    },
    volumeMounts: [
      { name: 'token', readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' },
    ],
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: 'IfNotPresent',
  });
  const pod = {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: {
      generateName: 'app-42-6d4b75cb6d-',
      creationTimestamp: null,
      labels: { app: 'app-42', 'pod-template-hash': '6d4b75cb6d' },
      annotations: { 'imagescan.fleetscan.io/app': '{"$imagescan": "app-42:digest"}' },
      ownerReferences: [
        {
          apiVersion: 'apps/v1',
          kind: 'ReplicaSet',
          name: 'app-42-6d4b75cb6d',
          uid: 'b8f2',
          controller: true,
        },
      ],
    },
    spec: {
      containers: [
        container('app', 'registry.example.com/team-42/app-42:1.0.0'),
        container('sidecar', 'registry.example.com/mesh/proxy:2.1'),
      ],
      volumes: [
        {
          name: 'token',
          projected: { sources: [{ serviceAccountToken: { expirationSeconds: 3607, path: 'token' } }] },
        },
      ],
      restartPolicy: 'Always',
      dnsPolicy: 'ClusterFirst',
      serviceAccountName: 'default',
      schedulerName: 'default-scheduler',
      tolerations: [
        {
          key: 'node.kubernetes.io/not-ready',
          operator: 'Exists',
          effect: 'NoExecute',
          tolerationSeconds: 300,
        },
      ],
    },
    status: {},
  };
  return JSON.stringify({
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    request: {
      uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
      kind: { group: '', version: 'v1', kind: 'Pod' },
      resource: { group: '', version: 'v1', resource: 'pods' },
      requestKind: { group: '', version: 'v1', kind: 'Pod' },
      requestResource: { group: '', version: 'v1', resource: 'pods' },
      namespace: 'team-42',
      operation: 'CREATE',
      userInfo: {
        username: 'system:serviceaccount:kube-system:replicaset-controller',
        groups: ['system:serviceaccounts', 'system:authenticated'],
      },
      object: pod,
      oldObject: null,
      dryRun: false,
      options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
    },
  });
}
