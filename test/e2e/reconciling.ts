import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { connect, type KubeClient } from '../../kube/client.ts';
import { API_VERSION, type Condition } from '../../kube/kinds/common.ts';
import { type GitRepo, parseGitRepo } from '../../kube/kinds/git-repo.ts';
import { type ImageScan, parseImageScan } from '../../kube/kinds/image-scan.ts';
import { GIT_REPOS, IMAGE_SCANS, NAMESPACES, SECRETS } from '../../kube/resource.ts';
import { type Cluster, startCluster } from '../control-plane/cluster.ts';
import { freePort, temporaryFolder } from '../control-plane/processes.ts';
import { waitFor } from '../wait.ts';
import { IMAGE } from './admission.ts';
import { installProduct, type Product, type Program } from './product.ts';

/** A control plane with the product, of which the reconciler alone runs. */
export interface Reconciling {
  readonly cluster: Cluster;
  /** The administrator's. */
  readonly client: KubeClient;
  readonly product: Product;
  readonly reconciler: Program;
  /** Where the reconciler keeps its copies of repositories. */
  readonly cacheDirectory: string;
  stop(): Promise<void>;
}

/**
 * Starts it all, with registries that are spoken to over plain HTTP, more values for the chart and more flags for the reconciler.
 *
 * @param prepare what the cluster is to have before the product comes
 */
export async function startReconciling({
  insecureRegistries = [],
  values = [],
  args = [],
  prepare,
}: {
  insecureRegistries?: readonly string[];
  values?: readonly string[];
  args?: readonly string[];
  prepare?: (client: KubeClient) => Promise<void>;
} = {}): Promise<Reconciling> {
  await using started = new AsyncDisposableStack();
  const cluster = started.adopt(await startCluster(), (each) => each.stop());
  const client = started.adopt(await connect({ kubeconfig: cluster.kubeconfig }), (each) => each.close());
  await prepare?.(client);
  const webhookPort = await freePort();
  const product = started.adopt(
    await installProduct(cluster, { webhookPort, insecureRegistries, values }),
    (each) => each.stop(),
  );
  const cacheDirectory = temporaryFolder('copies');
  const reconciler = await product.startReconciler({ args: ['--cache-dir', cacheDirectory, ...args] });
  // All of it runs on; where something above failed, what ran was stopped.
  const running = started.move();
  const stop = (): Promise<void> => running.disposeAsync();
  return { cluster, client, product, reconciler, cacheDirectory, stop };
}

export interface Named {
  readonly namespace: string;
  readonly name: string;
}

/** An object of one of the kinds that {@link put} knows. */
export interface ApiObject {
  readonly apiVersion: string;
  readonly kind: keyof typeof RESOURCES;
  readonly metadata: { readonly namespace?: string; readonly name: string };
  readonly spec?: object;
  readonly type?: string;
  readonly stringData?: Readonly<Record<string, string>>;
}

const RESOURCES = { Namespace: NAMESPACES, Secret: SECRETS, ImageScan: IMAGE_SCANS, GitRepo: GIT_REPOS };

/** Creates or changes objects, one after the other; what an object had and has no longer is taken away. */
export async function put(client: KubeClient, ...objects: readonly ApiObject[]): Promise<void> {
  for (const object of objects) {
    const path = { resource: RESOURCES[object.kind], ...object.metadata };
    await client.patch(path, object, 'apply', { fieldManager: 'test', force: true });
  }
}

export function namespaceObject(name: string): ApiObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

export function imageScan(metadata: Named, spec: object): ApiObject {
  return { apiVersion: API_VERSION, kind: 'ImageScan', metadata, spec };
}

export function gitRepo(metadata: Named, spec: object): ApiObject {
  return { apiVersion: API_VERSION, kind: 'GitRepo', metadata, spec };
}

/** A Secret; `data` in plain text. */
export function secret(
  metadata: Named,
  type: string,
  stringData: Readonly<Record<string, string>>,
): ApiObject {
  return { apiVersion: 'v1', kind: 'Secret', metadata, type, stringData };
}

export async function readScan(client: KubeClient, { namespace, name }: Named): Promise<ImageScan> {
  return parseImageScan(await client.get({ resource: IMAGE_SCANS, namespace, name }));
}

export async function readGitRepo(client: KubeClient, { namespace, name }: Named): Promise<GitRepo> {
  return parseGitRepo(await client.get({ resource: GIT_REPOS, namespace, name }));
}

/** The digest that {@link putValue} gives a tag. */
export function digestOf(tag: string): string {
  return `sha256:${createHash('sha256').update(tag).digest('hex')}`;
}

/** Puts a tag of {@link IMAGE} in force as a scan would have; the ImageScan is made, suspended, when there is none. */
export async function putValue(
  client: KubeClient,
  { namespace, name }: Named,
  tag: string,
  spec: object = {},
): Promise<void> {
  await put(client, imageScan({ namespace, name }, { image: IMAGE, suspend: true, ...spec }));
  const latest = { latestTag: tag, latestImage: `${IMAGE}:${tag}`, latestDigest: digestOf(tag) };
  const status = { canonicalImageName: IMAGE, ...latest };
  const path = { resource: IMAGE_SCANS, namespace, name, subresource: 'status' };
  await client.patch(path, { status }, 'merge');
}

/** Waits until an ImageScan is as wanted. */
export function untilScan(
  client: KubeClient,
  named: Named,
  what: string,
  isWanted: (scan: ImageScan) => boolean,
): Promise<ImageScan> {
  return untilWanted(() => readScan(client, named), named, what, isWanted);
}

/** Waits until a GitRepo is as wanted. */
export function untilGitRepo(
  client: KubeClient,
  named: Named,
  what: string,
  isWanted: (repo: GitRepo) => boolean,
): Promise<GitRepo> {
  return untilWanted(() => readGitRepo(client, named), named, what, isWanted);
}

/** Waits until a scan has this tag in force. */
export function untilInForce(client: KubeClient, named: Named, tag: string): Promise<ImageScan> {
  return untilScan(client, named, `${tag} in force`, ({ status }) => status.latestTag === tag);
}

type Conditioned = Pick<ImageScan, 'metadata'> & {
  readonly status: { readonly conditions?: readonly Condition[] | undefined };
};

/** A condition as `status reason`, when it is of the object's present spec. */
export function conditionOf({ metadata, status }: Conditioned, type: string): string | undefined {
  const condition = status.conditions?.find((each) => each.type === type);
  if (condition === undefined || condition.observedGeneration !== metadata.generation) return undefined;
  return `${condition.status} ${condition.reason}`;
}

export function messageOf({ status }: Conditioned, type: string): string {
  return status.conditions?.find((each) => each.type === type)?.message ?? '';
}

/** Waits until `kubectl get events` has a line on an object with all these words. */
export async function untilEvent(
  { cluster }: Pick<Reconciling, 'cluster'>,
  { namespace, name }: Named,
  kind: 'imagescan' | 'gitrepo',
  ...words: readonly string[]
): Promise<void> {
  const wanted = [`${kind}/${name} `, ...words];
  await waitFor(
    `an event with ${wanted.join(' ')}`,
    async () => {
      const { stdout } = await cluster.kubectl('get', 'events', '-n', namespace);
      return stdout.split('\n').find((line) => wanted.every((word) => line.includes(word)));
    },
    { everyMs: 250 },
  );
}

/** Applies an object that the API server must refuse. @returns what `kubectl apply` says of it */
export async function refusal({ cluster }: Pick<Reconciling, 'cluster'>, object: object): Promise<string> {
  const { code, stderr } = await cluster.kubectlWith({ stdin: JSON.stringify(object) }, 'apply', '-f', '-');
  assert.notEqual(code, 0, 'it was accepted');
  return stderr;
}

async function untilWanted<T extends Conditioned>(
  read: () => Promise<T>,
  { namespace, name }: Named,
  what: string,
  isWanted: (object: T) => boolean,
): Promise<T> {
  let last: T | undefined;
  try {
    return await waitFor(`${namespace}/${name} to have ${what}`, async () => {
      last = await read();
      return isWanted(last) ? last : undefined;
    });
  } catch (error) {
    throw new Error(`${String(error)}; it has ${JSON.stringify(last?.status)}`, { cause: error });
  }
}
