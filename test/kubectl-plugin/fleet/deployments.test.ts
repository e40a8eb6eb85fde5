import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { roleOf } from '../../../kubectl-plugin/fleet/deployments.ts';

function deployment(
  name: string,
  container: object,
  more: { labels?: object; metadata?: object; status?: object } = {},
) {
  const { labels = {}, metadata = {}, status = {} } = more;
  return {
    metadata: { name, namespace: 'system', creationTimestamp: '2026-01-01T00:00:00Z', ...metadata },
    spec: { template: { metadata: { labels }, spec: { containers: [container] } } },
    status,
  };
}

function imageScan(container: object): unknown {
  const role = roleOf(deployment('fleet-controller', container));
  return role?.kind === 'fleet' ? role.controller.imageScan : role;
}

describe("Fleet's image scan", () => {
  it('is on up to v0.14, and off since then', () => {
    assert.equal(imageScan({ image: 'rancher/fleet:v0.9.3' }), 'On');
    assert.equal(imageScan({ image: 'rancher/fleet:v0.14.99-rc.1' }), 'On');
    assert.equal(imageScan({ image: 'rancher/fleet:v0.15.0' }), 'Off');
    assert.equal(imageScan({ image: `host:5000/rancher/fleet:v0.15.0@sha256:${'0'.repeat(64)}` }), 'Off');
    assert.equal(imageScan({ image: 'rancher/fleet:v1.0.0' }), 'Off');
  });

  it('is what the variable says, whatever the version', () => {
    const env = (value: string) => [{ name: 'IMAGESCAN_ENABLED', value }];
    assert.equal(imageScan({ image: 'rancher/fleet:v0.16.1', env: env('true') }), 'On');
    assert.equal(imageScan({ image: 'rancher/fleet:head', env: env('false') }), 'Off');
  });

  it('is unknown for an image without a version, and for a variable from elsewhere', () => {
    assert.equal(imageScan({ image: 'rancher/fleet:head' }), 'Unknown');
    assert.equal(imageScan({ image: 'host:5000/fleet' }), 'Unknown');
    const env = [{ name: 'IMAGESCAN_ENABLED', valueFrom: { configMapKeyRef: { name: 'a', key: 'b' } } }];
    assert.equal(imageScan({ image: 'rancher/fleet:v0.16.1', env }), 'Unknown');
  });
});

describe('a Deployment', () => {
  it('is one of Fleet by the label of its pods, as its shards are', () => {
    const labels = { app: 'fleet-controller' };
    const role = roleOf(deployment('fleet-controller-shard-a', { image: 'fleet:v0.16.1' }, { labels }));
    assert.ok(role?.kind === 'fleet');
    assert.deepEqual(
      [role.controller.role, role.controller.name, role.controller.version],
      ['fleet-controller', 'fleet-controller-shard-a', '0.16.1'],
    );
    assert.equal(roleOf(deployment('web', { image: 'fleet:v0.16.1' })), undefined);
  });

  it('was started when it was last restarted or rolled out', () => {
    const start = (annotations: object, conditions: object[]) => {
      const raw = deployment('gitjob', {}, { status: { conditions } });
      Object.assign(raw.spec.template.metadata, { annotations });
      const role = roleOf(raw);
      return role?.kind === 'fleet' && new Date(role.controller.startedAt).toISOString();
    };
    assert.equal(start({}, []), '2026-01-01T00:00:00.000Z');
    const restarted = { 'kubectl.kubernetes.io/restartedAt': '2026-01-03T02:00:00+02:00' };
    assert.equal(start(restarted, []), '2026-01-03T00:00:00.000Z');
    const progressing = { type: 'Progressing', status: 'True', lastUpdateTime: '2026-01-04T00:00:00Z' };
    assert.equal(
      start(restarted, [{ ...progressing, reason: 'NewReplicaSetAvailable' }]),
      '2026-01-04T00:00:00.000Z',
    );
    assert.equal(start({}, [{ ...progressing, reason: 'ReplicaSetUpdated' }]), '2026-01-01T00:00:00.000Z');
  });

  it('is ours by its flags or its label, with what the last flag says', () => {
    const args = ['--fleet-takeover=off', '--compatibility', 'Fleet', '--fleet-takeover=serve'];
    const metadata = { annotations: { 'meta.helm.sh/release-name': 'scans' } };
    const role = roleOf(deployment('renamed', { args }, { metadata }));
    assert.deepEqual(role, {
      kind: 'fleetscan',
      installation: {
        namespace: 'system',
        deployment: 'renamed',
        release: 'scans',
        takeover: 'serve',
        compatibility: 'Fleet',
      },
    });
    const labels = { 'app.kubernetes.io/name': 'fleetscan' };
    const older = roleOf(deployment('fleetscan', {}, { metadata: { labels } }));
    assert.ok(older?.kind === 'fleetscan');
    assert.deepEqual([older.installation.takeover, older.installation.release], ['off', 'fleetscan']);
  });
});
