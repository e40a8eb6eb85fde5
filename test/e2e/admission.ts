import { readFile, writeFile } from 'node:fs/promises';
import { X509Certificate } from 'node:crypto';
import { z } from 'zod';
import type { KubeClient } from '../../kube/client.ts';
import { API_VERSION } from '../../kube/kinds/common.ts';
import { IMAGE_SCANS, MUTATING_WEBHOOKS, NAMESPACES, PODS, SERVICE_ACCOUNTS } from '../../kube/resource.ts';
import type { TcpProxy } from '../fakes/tcp-proxy.ts';
import { waitFor } from '../wait.ts';
import { sumOf } from './product.ts';

/** The image that the scans of {@link putInForce} follow, unless told otherwise. */
export const IMAGE = 'registry.example/web';

const pod = z.object({ spec: z.object({ containers: z.array(z.object({ image: z.string() })) }) });
const podList = z.object({ items: z.array(pod) });

/** Makes a namespace and waits until pods can be made there. */
export async function createNamespace(client: KubeClient, name: string): Promise<void> {
  await client.create({ resource: NAMESPACES }, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  const account = { resource: SERVICE_ACCOUNTS, namespace: name, name: 'default' };
  await waitFor(`the service account of ${name}`, () => client.get(account));
}

/** Puts a tag of a scan in force, as a reconciler would after a scan; makes the ImageScan, suspended, when there is none. */
export async function putInForce(
  client: KubeClient,
  { namespace, name, tag }: { namespace: string; name: string; tag: string },
): Promise<void> {
  const path = { resource: IMAGE_SCANS, namespace, name };
  const spec = { image: IMAGE, suspend: true };
  const object = { apiVersion: API_VERSION, kind: 'ImageScan', metadata: { name, namespace }, spec };
  await client.patch(path, object, 'apply', { fieldManager: 'test', force: true });
  const latestDigest = `sha256:${'0'.repeat(64)}`;
  const status = { canonicalImageName: IMAGE, latestTag: tag, latestImage: `${IMAGE}:${tag}`, latestDigest };
  await client.patch({ ...path, subresource: 'status' }, { status }, 'merge');
}

/** How many stored pods of a namespace have each image. */
export async function podImages(client: KubeClient, namespace: string): Promise<Record<string, number>> {
  const { items } = podList.parse(await client.list({ resource: PODS, namespace }));
  const counts: Record<string, number> = {};
  for (const { spec } of items) {
    const image = spec.containers[0]?.image ?? '';
    counts[image] = (counts[image] ?? 0) + 1;
  }
  return counts;
}

/** How often the API server let a pod in without an answer of the webhook. */
export async function failOpenCount(client: KubeClient): Promise<number> {
  const { body } = await client.raw('GET', '/metrics');
  return sumOf(body, 'apiserver_admission_webhook_fail_open_count', { name: 'pods.fleetscan.io' });
}

const configuration = z.object({
  webhooks: z.tuple([z.object({ clientConfig: z.object({ caBundle: z.base64().default('') }) })]),
});

/** The authorities by which the API server judges the webhook's certificate, in the order of the bundle. */
export async function publishedAuthorities(client: KubeClient): Promise<X509Certificate[]> {
  const found = await client.get({ resource: MUTATING_WEBHOOKS, name: 'fleetscan' });
  const { caBundle } = configuration.parse(found).webhooks[0].clientConfig;
  const blocks = Buffer.from(caBundle, 'base64')
    .toString()
    .match(/-----BEGIN[^-]*-----[^-]*-----END[^-]*-----/g);
  return (blocks ?? []).map((block) => new X509Certificate(block));
}

/** A copy of a kubeconfig, beside it, that leads through a proxy. @returns its path */
export async function kubeconfigThrough(proxy: Pick<TcpProxy, 'port'>, kubeconfig: string): Promise<string> {
  const direct = await readFile(kubeconfig, 'utf8');
  const path = `${kubeconfig}.${proxy.port}`;
  await writeFile(path, direct.replace(/https:\/\/127\.0\.0\.1:\d+/, `https://127.0.0.1:${proxy.port}`), {
    mode: 0o600,
  });
  return path;
}
