import { z } from 'zod';
import type { KubeClient } from '../../kube/client.ts';
import { apiVersion, type Resource } from '../../kube/resource.ts';
import { podTemplate, type PodText } from './following.ts';

/** A kind of object that makes pods by a template. */
export interface Workload {
  readonly kind: string;
  readonly resource: Resource;
  /** How many pods it makes at once. */
  readonly pods: number;
  /** The manifest of one, named `name`; its pods bear the label `app: name`. */
  readonly manifest: (name: string, text: PodText) => object;
}

const apps = (plural: string): Resource => ({ group: 'apps', version: 'v1', plural });
const batch = (plural: string): Resource => ({ group: 'batch', version: 'v1', plural });

export const DEPLOYMENT: Workload = workload('Deployment', apps('deployments'), 2, { replicas: 2 });
export const STATEFUL_SET: Workload = workload('StatefulSet', apps('statefulsets'), 2, {
  replicas: 2,
  serviceName: 'none',
  // The default waits for each pod to be ready before the next, and none is here.
  podManagementPolicy: 'Parallel',
});
/** Makes one pod for each node: one node is wanted. */
export const DAEMON_SET: Workload = workload('DaemonSet', apps('daemonsets'), 1);
export const JOB: Workload = {
  kind: 'Job',
  resource: batch('jobs'),
  pods: 1,
  manifest: (name, text) => object('Job', batch('jobs'), name, { template: templateOfJob(name, text) }),
};
/** Makes pods when it is run by hand only. */
export const CRON_JOB: Workload = {
  kind: 'CronJob',
  resource: batch('cronjobs'),
  pods: 0,
  manifest: (name, text) =>
    object('CronJob', batch('cronjobs'), name, {
      schedule: '0 0 1 1 *',
      suspend: true,
      jobTemplate: { spec: { template: templateOfJob(name, text) } },
    }),
};
export const REPLICA_SETS: Resource = apps('replicasets');
export const CONTROLLER_REVISIONS: Resource = apps('controllerrevisions');

function workload(kind: string, resource: Resource, pods: number, spec: object = {}): Workload {
  return {
    kind,
    resource,
    pods,
    manifest: (name, text) =>
      object(kind, resource, name, {
        ...spec,
        selector: { matchLabels: { app: name } },
        template: podTemplate({ ...text, labels: { app: name } }),
      }),
  };
}

function object(kind: string, resource: Resource, name: string, spec: object): object {
  return { apiVersion: apiVersion(resource), kind, metadata: { name }, spec };
}

function templateOfJob(name: string, text: PodText): object {
  const { metadata, spec } = podTemplate({ ...text, labels: { app: name } });
  return { metadata, spec: { ...spec, restartPolicy: 'Never' } };
}

const template = z.object({
  metadata: z.object({ annotations: z.record(z.string(), z.string()).default({}) }),
  spec: z.object({ containers: z.array(z.object({ image: z.string() })) }),
});
const templated = z.object({
  metadata: z.object({ generation: z.int() }),
  spec: z.union([
    z.object({ template }),
    z.object({ jobTemplate: z.object({ spec: z.object({ template }) }) }),
  ]),
  status: z.object({ collisionCount: z.int().optional() }).default({}),
});

/** What a stored workload says of its pods, and how often its spec has changed: 1 is never. */
export interface StoredWorkload {
  readonly images: readonly string[];
  readonly annotations: Readonly<Record<string, string>>;
  readonly generation: number;
  /** How often a Deployment found that the ReplicaSet it was about to make is there with another template. */
  readonly collisions: number;
}

/** Reads one stored workload. */
export async function storedWorkload(
  client: KubeClient,
  path: { resource: Resource; namespace: string; name: string },
): Promise<StoredWorkload> {
  const { metadata, spec, status } = templated.parse(await client.get(path));
  const { template } = 'template' in spec ? spec : spec.jobTemplate.spec;
  return {
    images: template.spec.containers.map(({ image }) => image),
    annotations: template.metadata.annotations,
    generation: metadata.generation,
    collisions: status.collisionCount ?? 0,
  };
}

const owned = z.object({
  items: z.array(
    z.object({
      metadata: z.object({
        name: z.string(),
        ownerReferences: z.array(z.object({ kind: z.string(), name: z.string() })).default([]),
      }),
    }),
  ),
});

/** The names of the objects of a kind that a workload owns. */
export async function namesOwnedBy(
  client: KubeClient,
  { resource, namespace }: { resource: Resource; namespace: string },
  owner: { kind: string; name: string },
): Promise<string[]> {
  const { items } = owned.parse(await client.list({ resource, namespace }));
  return items
    .filter(({ metadata }) =>
      metadata.ownerReferences.some(({ kind, name }) => kind === owner.kind && name === owner.name),
    )
    .map(({ metadata }) => metadata.name);
}
