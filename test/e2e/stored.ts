import { z } from 'zod';
import { RESOLVED_ANNOTATION } from '../../core/resolution.ts';
import type { KubeClient } from '../../kube/client.ts';
import { PODS } from '../../kube/resource.ts';
import { waitFor } from '../wait.ts';

const containers = z.array(z.object({ name: z.string(), image: z.string() })).default([]);
const storedPod = z.object({
  metadata: z.object({
    name: z.string(),
    uid: z.string(),
    annotations: z.record(z.string(), z.string()).default({}),
  }),
  spec: z.object({
    containers,
    initContainers: containers,
    ephemeralContainers: containers,
    volumes: z
      .array(z.object({ name: z.string(), image: z.object({ reference: z.string() }).optional() }))
      .default([]),
  }),
});
const podList = z.object({ items: z.array(storedPod) });

/** A pod as the API server has it. */
export interface StoredPod {
  readonly name: string;
  readonly uid: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** The image of each container of any kind and of each image volume, by its name. */
  readonly images: Readonly<Record<string, string>>;
}

/** Reads a Pod that the API server gave. */
export function readPod(raw: unknown): StoredPod {
  return toStored(storedPod.parse(raw));
}

/** Reads one stored pod. */
export async function podNamed(client: KubeClient, namespace: string, name: string): Promise<StoredPod> {
  return readPod(await client.get({ resource: PODS, namespace, name }));
}

/** Waits until a label selects just so many pods, and reads them, by name. */
export async function podsOf(
  client: KubeClient,
  namespace: string,
  labelSelector: string,
  count: number,
): Promise<StoredPod[]> {
  return waitFor(`${count} pods with ${labelSelector} in ${namespace}`, async () => {
    const { items } = podList.parse(await client.list({ resource: PODS, namespace }, { labelSelector }));
    return items.length === count ? items.map(toStored) : undefined;
  });
}

const resolution = z.strictObject({
  from: z.string(),
  to: z.string(),
  scan: z.string(),
  generation: z.int(),
  time: z.iso.datetime(),
});
export type RecordedResolution = z.infer<typeof resolution>;

/** What the pod's record says of each container. */
export function recordOf({ annotations }: StoredPod): Record<string, RecordedResolution> {
  const text = annotations[RESOLVED_ANNOTATION];
  return text === undefined ? {} : z.record(z.string(), resolution).parse(JSON.parse(text));
}

function toStored({ metadata, spec }: z.infer<typeof storedPod>): StoredPod {
  const { initContainers, ephemeralContainers, volumes } = spec;
  const ofContainers = [...spec.containers, ...initContainers, ...ephemeralContainers].map(
    ({ name, image }): [string, string] => [name, image],
  );
  const ofVolumes = volumes.flatMap(({ name, image }): [string, string][] =>
    image === undefined ? [] : [[name, image.reference]],
  );
  return { ...metadata, images: Object.fromEntries([...ofContainers, ...ofVolumes]) };
}
