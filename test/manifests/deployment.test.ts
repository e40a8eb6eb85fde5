import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { LOG_LEVELS } from '../../program/log.ts';
import { readReconcilerConfig } from '../../reconciler/config.ts';
import { readProviderConfig } from '../../registry/credential-provider/config.ts';
import { loadRegistrySettings } from '../../registry/settings.ts';
import { readWebhookConfig } from '../../webhook/config.ts';
import { createAuthority } from '../control-plane/certificates.ts';
import { temporaryFolder } from '../control-plane/processes.ts';
import { run } from '../control-plane/run.ts';
import { only, readYaml, type Release, render } from './chart.ts';

interface Container {
  name: string;
  image: string;
  command: string[];
  args: string[];
  env?: { name: string }[];
  securityContext: unknown;
  readinessProbe?: { httpGet: unknown };
  livenessProbe: { httpGet: unknown };
  resources: { limits?: Record<string, string> };
  terminationMessagePolicy: string;
  volumeMounts: unknown[];
}

interface Deployment {
  replicas: number;
  template: {
    metadata: { labels: Record<string, string>; annotations: Record<string, string> };
    spec: {
      containers: [Container, Container];
      securityContext: unknown;
      topologySpreadConstraints: unknown[];
      volumes: unknown[];
      [field: string]: unknown;
    };
  };
}

const isFlag = (word: string): boolean => word.startsWith('--max');

async function deployment(release: Release = {}): Promise<Deployment> {
  const objects = await render(release);
  return objects.find(({ kind }) => kind === 'Deployment')!['spec'] as Deployment;
}

describe('the Deployment', () => {
  it('runs the two programs from one image', async () => {
    const { containers } = (await deployment()).template.spec;
    assert.deepEqual(
      containers.map(({ name, image, command }) => [name, image, ...command.filter((word) => !isFlag(word))]),
      [
        ['webhook', 'ghcr.io/fleetscan/fleetscan:0.1.0', 'node', '/app/webhook.js'],
        ['reconciler', 'ghcr.io/fleetscan/fleetscan:0.1.0', 'tini', '--', 'node', '/app/reconciler.js'],
      ],
    );
  });

  it('gives the programs a heap that fits into their limit, by flags that Node knows', async () => {
    const { containers } = (await deployment()).template.spec;
    for (const { command } of containers) {
      const flags = command.filter(isFlag);
      assert.ok(flags.some((flag) => flag.startsWith('--max-old-space-size-percentage=')));
      const { code, stderr } = await run(process.execPath, [...flags, '-e', '']);
      assert.deepEqual([code, stderr], [0, '']);
    }
  });

  const images: [Release['set'], string][] = [
    [{ 'image.tag': '1.2.3' }, 'ghcr.io/fleetscan/fleetscan:1.2.3'],
    [{ 'image.registry': '' }, 'fleetscan/fleetscan:0.1.0'],
    [{ 'global.imageRegistry': 'mirror:5000/ghcr' }, 'mirror:5000/ghcr/fleetscan/fleetscan:0.1.0'],
    [
      { 'image.tag': '1.2.3', 'image.digest': `sha256:${'a'.repeat(64)}` },
      `ghcr.io/fleetscan/fleetscan@sha256:${'a'.repeat(64)}`,
    ],
  ];
  for (const [set, image] of images) {
    it(`runs ${image} with ${Object.keys(set ?? {}).join(' and ')}`, async () => {
      const { containers } = (await deployment({ set: set ?? {} })).template.spec;
      assert.deepEqual(
        containers.map((container) => container.image),
        [image, image],
      );
    });
  }

  it('passes what the programs must know', async () => {
    const set = {
      'webhook.url': 'https://a.example/mutate',
      insecureRegistries: ['a:5000', 'b'],
      knownHosts: 'git-system/known-hosts',
      logLevel: 'debug',
    };
    const [webhook, reconciler] = (await deployment({ set })).template.spec.containers;
    assert.deepEqual(webhook.args, [
      '--listen=:9443',
      '--health-listen=:8080',
      '--namespace=fleetscan-system',
      '--cert-secret=fleetscan-webhook-cert',
      '--fleet-takeover=off',
      '--log-level=debug',
    ]);
    assert.deepEqual(reconciler.args, [
      '--health-listen=:8081',
      '--identity=$(POD_NAME)',
      '--namespace=fleetscan-system',
      '--lease-name=fleetscan-reconciler',
      '--cert-secret=fleetscan-webhook-cert',
      '--webhook-config=fleetscan',
      '--service=fleetscan',
      '--webhook-url=https://a.example/mutate',
      '--cache-dir=/cache',
      '--known-hosts=git-system/known-hosts',
      '--insecure-registry=a:5000',
      '--insecure-registry=b',
      '--fleet-takeover=off',
      '--compatibility=None',
      '--log-level=debug',
    ]);
    assert.equal(reconciler.env?.[0]?.name, 'POD_NAME');
  });

  it('passes flags that the programs understand', async () => {
    const set = { 'webhook.url': 'https://a.example/mutate', insecureRegistries: ['a:5000', 'b'] };
    const [webhook, reconciler] = (await deployment({ set })).template.spec.containers;
    const { certSecret, listen } = readWebhookConfig(webhook.args);
    assert.deepEqual([certSecret, listen.port], ['fleetscan-webhook-cert', 9443]);
    const { insecureRegistry, webhookUrl, leaseName } = readReconcilerConfig(reconciler.args);
    assert.deepEqual(
      [insecureRegistry, webhookUrl, leaseName],
      [['a:5000', 'b'], 'https://a.example/mutate', 'fleetscan-reconciler'],
    );
  });

  it('names log levels that the programs have', () => {
    const schema = readYaml('manifests/chart/values.schema.json') as {
      properties: { logLevel: { enum: string[] } };
    };
    assert.deepEqual(schema.properties.logLevel.enum, LOG_LEVELS);
  });

  it('lets further arguments follow and so win', async () => {
    const [webhook, reconciler] = (await deployment({ values: 'everything-values.yaml' })).template.spec
      .containers;
    assert.deepEqual(
      [webhook.args.at(-1), reconciler.args.at(-1)],
      ['--log-level=trace', '--log-level=trace'],
    );
    assert.deepEqual(
      webhook.env?.map(({ name }) => name),
      ['NODE_OPTIONS'],
    );
    assert.deepEqual(
      reconciler.env?.map(({ name }) => name),
      ['POD_NAME', 'TZ'],
    );
  });

  it('is restricted, reads its own file system only, and writes to two bounded folders', async () => {
    const { spec } = (await deployment()).template;
    assert.deepEqual(spec.securityContext, {
      runAsNonRoot: true,
      runAsUser: 65532,
      runAsGroup: 65532,
      fsGroup: 65532,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    for (const container of spec.containers) {
      assert.deepEqual(container.securityContext, {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      assert.deepEqual(container.terminationMessagePolicy, 'FallbackToLogsOnError');
      assert.ok(container.resources.limits?.['memory']);
    }
    assert.deepEqual(spec.volumes, [
      { name: 'cache', emptyDir: { sizeLimit: '2Gi' } },
      { name: 'tmp', emptyDir: { sizeLimit: '256Mi' } },
    ]);
  });

  it('is ready when its webhook is, whatever its reconciler waits for', async () => {
    const [webhook, reconciler] = (await deployment()).template.spec.containers;
    assert.deepEqual(webhook.readinessProbe?.httpGet, { path: '/readyz', port: 'webhook-http' });
    assert.equal(reconciler.readinessProbe, undefined);
    assert.deepEqual(webhook.livenessProbe.httpGet, { path: '/healthz', port: 'webhook-http' });
    assert.deepEqual(reconciler.livenessProbe.httpGet, { path: '/healthz', port: 'reconciler-http' });
  });

  it('spreads its pods, unless a constraint says over which', async () => {
    const own = {
      matchLabels: { 'app.kubernetes.io/name': 'fleetscan', 'app.kubernetes.io/instance': 'fleetscan' },
    };
    const spread = (topologyKey: string) => ({
      maxSkew: 1,
      topologyKey,
      whenUnsatisfiable: 'ScheduleAnyway',
      labelSelector: own,
    });
    const byDefault = (await deployment()).template.spec.topologySpreadConstraints;
    assert.deepEqual(byDefault, ['kubernetes.io/hostname', 'topology.kubernetes.io/zone'].map(spread));
    const [theirs] = (await deployment({ values: 'everything-values.yaml' })).template.spec
      .topologySpreadConstraints;
    assert.deepEqual((theirs as { labelSelector: unknown }).labelSelector, {
      matchLabels: { 'example.com/team': 'platform' },
    });
  });

  it('takes what a cluster wants of its pods', async () => {
    const { metadata, spec } = (await deployment({ values: 'everything-values.yaml' })).template;
    assert.equal(metadata.labels['example.com/team'], 'platform');
    assert.equal(metadata.annotations['example.com/scrape'], 'true');
    assert.equal(spec['serviceAccountName'], 'scanner');
    assert.equal(spec['priorityClassName'], 'system-cluster-critical');
    assert.equal(spec['terminationGracePeriodSeconds'], 90);
    assert.deepEqual(spec['imagePullSecrets'], [{ name: 'mirror' }]);
    assert.deepEqual(spec['nodeSelector'], { 'kubernetes.io/os': 'linux' });
    assert.deepEqual(spec['tolerations'], [{ operator: 'Exists' }]);
    assert.ok(spec['affinity']);
    assert.deepEqual(spec.securityContext, {
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    });
  });

  it('gets a disruption budget only when it can spare a pod', async () => {
    assert.deepEqual(only(await render(), 'PodDisruptionBudget')['spec'], {
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
      selector: {
        matchLabels: { 'app.kubernetes.io/name': 'fleetscan', 'app.kubernetes.io/instance': 'fleetscan' },
      },
    });
    for (const set of [{ replicas: 1 }, { replicas: 0 }, { 'podDisruptionBudget.enabled': false }]) {
      assert.ok(!(await render({ set })).some(({ kind }) => kind === 'PodDisruptionBudget'));
    }
  });
});

describe('the settings for registries', () => {
  it('are files that the reconciler reads, with the certificates beside them', async () => {
    const objects = await render({ values: 'everything-values.yaml' });
    const config = only(objects, 'ConfigMap', 'image-scan-registries')['data'] as Record<string, string>;
    const { certificate } = await createAuthority('company');
    const folder = temporaryFolder('registries');
    for (const [name, text] of Object.entries(config)) {
      const local = text.replaceAll('/etc/fleetscan', folder);
      await writeFile(`${folder}/${name}`, local);
    }
    await mkdir(`${folder}/ca`);
    for (const index of [0, 3]) await writeFile(`${folder}/ca/${index}.crt`, certificate);
    const settings = await loadRegistrySettings(`${folder}/registries.yaml`);
    assert.deepEqual(settings.for('registry.example.com:5000'), {
      insecureSkipTLSVerify: false,
      requestsPerSecond: 50,
      concurrency: 8,
      trustedHosts: ['auth.example.com'],
      ca: certificate,
    });
    assert.equal(settings.for('old.example.com').insecureSkipTLSVerify, true);
    assert.equal(settings.for('plain.example.com').plainHTTP, true);
    assert.equal(settings.for('secret.example.com').ca, certificate);
    const providers = await readProviderConfig(`${folder}/credential-providers.yaml`);
    assert.deepEqual(
      providers.map(({ name, matchImages }) => [name, ...matchImages]),
      [['ecr-credential-provider', '*.dkr.ecr.*.amazonaws.com']],
    );
  });

  it('are mounted where the flags say', async () => {
    const { containers, volumes, initContainers } = (await deployment({ values: 'everything-values.yaml' }))
      .template.spec;
    const [, reconciler] = containers;
    const config = readReconcilerConfig(reconciler.args);
    assert.equal(config.registriesConfig, '/etc/fleetscan/registries.yaml');
    assert.equal(config.imageCredentialProviderConfig, '/etc/fleetscan/credential-providers.yaml');
    assert.equal(config.imageCredentialProviderBinDir, '/providers');
    assert.deepEqual(reconciler.volumeMounts.slice(2), [
      { name: 'registries', mountPath: '/etc/fleetscan', readOnly: true },
      { name: 'providers', mountPath: '/providers', readOnly: true },
    ]);
    assert.deepEqual(volumes.slice(2), [
      {
        name: 'registries',
        projected: {
          sources: [
            { configMap: { name: 'image-scan-registries' } },
            { configMap: { name: 'company-ca', items: [{ key: 'bundle.pem', path: 'ca/0.crt' }] } },
            { secret: { name: 'secret-ca', items: [{ key: 'ca.crt', path: 'ca/3.crt' }] } },
          ],
        },
      },
      { name: 'providers', emptyDir: {} },
    ]);
    assert.ok(Array.isArray(initContainers) && initContainers.length === 1);
  });

  it('are not there when nothing is set', async () => {
    assert.ok(!(await render()).some(({ kind }) => kind === 'ConfigMap'));
  });
});
