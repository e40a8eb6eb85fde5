import { z } from 'zod';
import { objectMeta } from '../../kube/kinds/common.ts';
import { parseObject } from '../../kube/kinds/parse.ts';
import { FLEET_TAKEOVERS, type FleetTakeover } from '../../program/fleet-takeover.ts';
import type { FleetController, Installation } from './facts.ts';

const container = z.object({
  image: z.string().default(''),
  command: z.array(z.string()).default([]),
  args: z.array(z.string()).default([]),
  env: z
    .array(z.object({ name: z.string(), value: z.string().optional(), valueFrom: z.unknown().optional() }))
    .default([]),
});
const condition = z.object({
  type: z.string(),
  status: z.string(),
  reason: z.string().optional(),
  lastUpdateTime: z.string().optional(),
});
const deployment = z.object({
  metadata: objectMeta,
  spec: z.object({
    template: z.object({
      metadata: objectMeta.pick({ labels: true, annotations: true }).prefault({}),
      spec: z.object({ containers: z.array(container) }),
    }),
  }),
  status: z.object({ conditions: z.array(condition).default([]) }).prefault({}),
});
type Deployment = z.infer<typeof deployment>;
type Container = z.infer<typeof container>;

/** What a Deployment is to Fleet and to us. */
export type Role =
  | { readonly kind: 'fleet'; readonly controller: FleetController }
  | { readonly kind: 'fleetscan'; readonly installation: Installation };

/**
 * Knows Fleet's Deployments, by the label `app` of their pods, and Fleetscan's, by its labels or flags.
 *
 * @returns undefined for all others
 * @throws {InvalidObjectError} when it is no Deployment
 */
export function roleOf(raw: unknown): Role | undefined {
  const found = parseObject('Deployment', deployment, raw);
  const app = found.spec.template.metadata.labels['app'];
  const role = [app, found.metadata.name].find((name) => name === 'fleet-controller' || name === 'gitjob');
  if (role === 'fleet-controller' || role === 'gitjob')
    return { kind: 'fleet', controller: controllerOf(role, found) };
  const installation = installationOf(found);
  return installation && { kind: 'fleetscan', installation };
}

function controllerOf(role: FleetController['role'], found: Deployment): FleetController {
  const { metadata, spec } = found;
  const { containers } = spec.template.spec;
  const version = containers.map(({ image }) => versionOf(image)).find((text) => text !== undefined);
  return {
    role,
    namespace: metadata.namespace,
    name: metadata.name,
    version,
    imageScan: imageScanOf(containers, version),
    startedAt: startedAt(found),
  };
}

function versionOf(image: string): string | undefined {
  return /:v?(\d+\.\d+\.\d+[\w.-]*)(?:@|$)/.exec(image)?.[1];
}

/** Up to v0.14 it was always on; since then it is on where the variable says so (Fleet's chart, `imagescan.enabled`). */
function imageScanOf(
  containers: readonly Container[],
  version: string | undefined,
): FleetController['imageScan'] {
  const variable = containers.flatMap(({ env }) => env).find(({ name }) => name === 'IMAGESCAN_ENABLED');
  if (variable?.valueFrom !== undefined) return 'Unknown';
  if (variable !== undefined) return /^(?:1|t|true)$/i.test(variable.value ?? '') ? 'On' : 'Off';
  if (version === undefined) return 'Unknown';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major === 0 && minor <= 14 ? 'On' : 'Off';
}

/** When its pods were last replaced: by `kubectl rollout restart`, or as its last rollout ended. */
function startedAt({ metadata, spec, status }: Deployment): number {
  const rollout = status.conditions.find(
    ({ type, status, reason }) =>
      type === 'Progressing' && status === 'True' && reason === 'NewReplicaSetAvailable',
  );
  const times = [
    metadata.creationTimestamp,
    spec.template.metadata.annotations['kubectl.kubernetes.io/restartedAt'],
    rollout?.lastUpdateTime,
  ];
  return Math.max(0, ...times.map((time) => Date.parse(time ?? '')).filter(Number.isFinite));
}

function installationOf({ metadata, spec }: Deployment): Installation | undefined {
  const words = spec.template.spec.containers.flatMap(({ command, args }) => [...command, ...args]);
  const takeover = flag(words, '--fleet-takeover');
  const { labels, annotations, namespace, name } = metadata;
  if (takeover === undefined && labels['app.kubernetes.io/name'] !== 'fleetscan') return undefined;
  return {
    namespace,
    deployment: name,
    release: annotations['meta.helm.sh/release-name'] ?? labels['app.kubernetes.io/instance'] ?? name,
    takeover: isTakeover(takeover) ? takeover : 'off',
    compatibility: flag(words, '--compatibility') ?? 'None',
  };
}

function isTakeover(text: string | undefined): text is FleetTakeover {
  return FLEET_TAKEOVERS.some((takeover) => takeover === text);
}

/** The last value of a flag, as programs read it. */
function flag(words: readonly string[], name: string): string | undefined {
  const values = words.flatMap((word, index) => {
    if (word.startsWith(`${name}=`)) return [word.slice(name.length + 1)];
    return word === name ? [words[index + 1] ?? ''] : [];
  });
  return values.at(-1);
}
