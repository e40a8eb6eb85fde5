import type { KubeClient } from '../../kube/client.ts';
import { API_VERSION } from '../../kube/kinds/common.ts';
import { parseImageScan, SCAN_REQUEST_ANNOTATION } from '../../kube/kinds/image-scan.ts';
import { IMAGE_SCANS, PODS } from '../../kube/resource.ts';
import { pushImage } from '../control-plane/push-image.ts';
import { waitFor } from '../wait.ts';
import { createNamespace } from './admission.ts';
import type { Setup } from './setup.ts';
import { readPod } from './stored.ts';

/** A namespace with an ImageScan `web`, which follows a repository of its own. */
export interface Followed {
  readonly namespace: string;
  /** The repository, `host/name`. */
  readonly image: string;
  /** The digest of each tag's index. */
  readonly digests: ReadonlyMap<string, string>;
}

type Parts = Pick<Setup, 'client' | 'registry'>;

/** Pushes tags, makes a namespace with an ImageScan that follows them, and waits until pods get the last tag. */
export async function follow(
  { client, registry }: Parts,
  namespace: string,
  {
    tags = ['1.0.0', '1.1.0'],
    marker = 'web',
    spec = {},
  }: { tags?: readonly string[]; marker?: string; spec?: object } = {},
): Promise<Followed> {
  const digests = new Map<string, string>();
  for (const tag of tags) digests.set(tag, (await pushImage(registry.host, namespace, tag)).digest);
  await createNamespace(client, namespace);
  const image = `${registry.host}/${namespace}`;
  await createScan(
    client,
    { namespace, name: 'web' },
    { image, policy: { semver: { range: '*' } }, ...spec },
  );
  await untilPodsGet(client, namespace, { marker, image: `${image}:${tags.at(-1)}` });
  return { namespace, image, digests };
}

/** Pushes a newer tag, asks for a scan by the annotation, and waits until pods get that tag. @returns its digest */
export async function release(
  { client, registry }: Parts,
  { namespace, image }: Followed,
  tag: string,
): Promise<string> {
  const { digest } = await pushImage(registry.host, namespace, tag);
  const path = { resource: IMAGE_SCANS, namespace, name: 'web' };
  const annotations = { [SCAN_REQUEST_ANNOTATION]: `for ${tag}` };
  await client.patch(path, { metadata: { annotations } }, 'merge');
  await waitFor(`an answer to the request for ${tag}`, async () => {
    const { status } = parseImageScan(await client.get(path));
    return status.lastHandledScanRequest === `for ${tag}` ? true : undefined;
  });
  await untilPodsGet(client, namespace, { marker: 'web', image: `${image}:${tag}` });
  return digest;
}

/** Creates an ImageScan. */
export async function createScan(
  client: KubeClient,
  metadata: { namespace: string; name: string },
  spec: object,
): Promise<void> {
  const { namespace } = metadata;
  const object = { apiVersion: API_VERSION, kind: 'ImageScan', metadata, spec };
  await client.create({ resource: IMAGE_SCANS, namespace }, object);
}

/** Waits until a container with a marker gets an image; asks by dry runs, so that nothing is stored. */
export async function untilPodsGet(
  client: KubeClient,
  namespace: string,
  { marker, image }: { marker: string; image: string },
): Promise<void> {
  const name = image.replace(/:[^:/]*$/, '');
  const object = pod('probe', { image: `${name}:manifest`, marker });
  await waitFor(`${marker} to give pods of ${namespace} ${image}`, async () => {
    const { images } = readPod(await client.create({ resource: PODS, namespace }, object, { dryRun: 'All' }));
    return images['web'] === image ? true : undefined;
  });
}

/** A condition of an ImageScan, `status reason`, once it is there. */
export async function conditionOf(
  client: KubeClient,
  { namespace, name }: { namespace: string; name: string },
  type: string,
): Promise<string | undefined> {
  const { status } = parseImageScan(await client.get({ resource: IMAGE_SCANS, namespace, name }));
  const condition = status.conditions?.find((each) => each.type === type);
  return condition && `${condition.status} ${condition.reason ?? ''}`;
}

/** What a pod of {@link pod} is to be. */
export interface PodText {
  readonly image: string;
  /** The marker of its container; none when absent. */
  readonly marker?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
}

/** The manifest of a Pod with one container, `web`. */
export function pod(name: string, text: PodText): object {
  const { metadata, spec } = podTemplate(text);
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, ...metadata }, spec };
}

/** The same as a workload's pod template. */
export function podTemplate({ image, marker, annotations = {}, labels }: PodText): {
  readonly metadata: object;
  readonly spec: object;
} {
  const marked = marker === undefined ? {} : { 'imagescan.fleetscan.io/web': marker };
  return {
    // An empty map would make kubectl apply see a difference each time: the API server does not keep it.
    metadata: { ...(labels && { labels }), annotations: { ...marked, ...annotations } },
    spec: { containers: [{ name: 'web', image }] },
  };
}
