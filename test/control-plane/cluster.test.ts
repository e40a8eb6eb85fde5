import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { waitFor } from '../wait.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { helm } from './helm.ts';

let cluster: Cluster;
before(async () => {
  cluster = await startCluster();
});
after(() => cluster.stop());

const template = {
  metadata: { labels: { app: 'web' } },
  spec: { containers: [{ name: 'web', image: 'web:1' }] },
};
const selector = { matchLabels: { app: 'web' } };

/** Waits until so many pods have an owner of that kind. */
async function podsOf(kind: string, wanted: number): Promise<void> {
  await waitFor(`${wanted} pods of a ${kind}`, async () => {
    const { stdout } = await cluster.kubectl(
      'get',
      'pods',
      '-A',
      '-o',
      'jsonpath={.items[*].metadata.ownerReferences[0].kind}',
    );
    return stdout.split(' ').filter((owner) => owner === kind).length === wanted ? true : undefined;
  });
}

test('the controllers make the pods of every workload', async () => {
  await cluster.addNode('node-1');
  const job = { ...template, spec: { ...template.spec, restartPolicy: 'Never' } };
  const metadata = { name: 'web', namespace: 'default' };
  await cluster.apply(
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { replicas: 2, selector, template } },
    {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata,
      spec: { serviceName: 'web', selector, template },
    },
    { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata, spec: { selector, template } },
    { apiVersion: 'batch/v1', kind: 'Job', metadata, spec: { template: job } },
    {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata,
      spec: { schedule: '0 0 1 1 *', jobTemplate: { spec: { template: job } } },
    },
  );
  await podsOf('ReplicaSet', 2);
  await podsOf('StatefulSet', 1);
  await podsOf('DaemonSet', 1);
  await podsOf('Job', 1);
  assert.equal((await cluster.kubectl('create', 'job', 'now', '--from=cronjob/web')).code, 0);
  await podsOf('Job', 2);
});

test('the data outlives a restart of the API server, and the controllers go on', async () => {
  await cluster.kubectl('create', 'configmap', 'kept', '--from-literal=a=b');
  await cluster.restartApiServer();
  const { stdout } = await cluster.kubectl('get', 'configmap', 'kept', '-o', 'jsonpath={.data.a}');
  assert.equal(stdout, 'b');
  await cluster.kubectl('create', 'deployment', 'later', '--image=later:1', '--replicas=3');
  await podsOf('ReplicaSet', 5);
});

test('a killed API server answers nobody, and starts again', async () => {
  await cluster.stopApiServer('SIGKILL');
  assert.notEqual((await cluster.kubectl('get', 'namespaces')).code, 0);
  await cluster.startApiServer();
  assert.equal((await cluster.kubectl('get', 'namespaces')).code, 0);
});

test('a service account has its own kubeconfig, and only the rights it was given', async () => {
  const kubeconfig = await cluster.serviceAccountKubeconfig('default', 'default');
  const who = await cluster.kubectlWith(
    { kubeconfig },
    'auth',
    'whoami',
    '-o',
    'jsonpath={.status.userInfo.username}',
  );
  assert.equal(who.stdout, 'system:serviceaccount:default:default');
  const pods = await cluster.kubectlWith({ kubeconfig }, 'get', 'pods');
  assert.match(pods.stderr, /forbidden/);
});

test('helm reaches the cluster', async () => {
  const { stdout, code } = await helm(cluster, 'list', '-A', '-o', 'json');
  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(stdout), []);
});

test('arguments of the API server that it does not know are shown, and nothing stays', async () => {
  let folder = '';
  await assert.rejects(startCluster({ apiServerArgs: ['--no-such-flag'] }), (error: Error) => {
    assert.match(
      error.message,
      /^kube-apiserver ended \(1\) before it was ready; its last output:\n[^]*unknown flag: --no-such-flag/,
    );
    folder = /\S*fleetscan-cluster-[^/\s]*/.exec(error.message)?.[0] ?? '';
    return true;
  });
  assert.equal(existsSync(folder), false);
});
