import type { KubeClient } from '../../kube/client.ts';
import { CUSTOM_RESOURCE_DEFINITIONS, FLEET_GIT_REPOS, FLEET_IMAGE_SCANS } from '../../kube/resource.ts';
import { waitFor } from '../wait.ts';

// The CustomResourceDefinitions of Fleet v0.16 as far as image scan reads and writes them, and the rest of a GitRepo loosely:
// what a schema has not, the API server drops, so a field that we would add shows by its absence.

type Schema = Readonly<Record<string, unknown>>;

const text: Schema = { type: 'string' };
const nullableText: Schema = { type: 'string', nullable: true };
const flag: Schema = { type: 'boolean' };
const count: Schema = { type: 'integer' };
const time: Schema = { type: 'string', format: 'date-time' };
const anything: Schema = { type: 'object', nullable: true, 'x-kubernetes-preserve-unknown-fields': true };
const object = (properties: Schema, more: Schema = {}): Schema => ({ type: 'object', properties, ...more });
const list = (items: Schema): Schema => ({ type: 'array', items });

const duration: Schema = {
  type: 'string',
  nullable: true,
  minLength: 1,
  maxLength: 32,
  'x-kubernetes-validations': [
    {
      rule: "self == '0' || self.matches('^([0-9]+([.][0-9]+)?(ns|us|µs|ms|s|m|h))+$')",
      message: 'not a duration',
    },
  ],
};
/** wrangler's GenericCondition. */
const conditions = list(
  object(
    { lastTransitionTime: text, lastUpdateTime: text, message: text, reason: text, status: text, type: text },
    { required: ['type', 'status'] },
  ),
);

const imageScanSpec = object(
  {
    tagName: nullableText,
    gitrepoName: nullableText,
    image: nullableText,
    interval: duration,
    secretRef: object({ name: text }, { nullable: true }),
    suspend: flag,
    policy: object({
      semver: object({ range: nullableText }, { nullable: true }),
      alphabetical: object({ order: nullableText }, { nullable: true }),
    }),
  },
  { required: ['image', 'interval'] },
);
const imageScanStatus = object({
  conditions,
  lastScanTime: time,
  canonicalImageName: text,
  latestTag: text,
  latestImage: text,
  latestDigest: text,
  observedGeneration: count,
});

const gitRepoSpec = object({
  repo: text,
  branch: nullableText,
  revision: nullableText,
  paths: { ...list(text), nullable: true },
  bundles: list(object({ base: text, options: text })),
  clientSecretName: nullableText,
  caBundle: { type: 'string', format: 'byte', nullable: true },
  insecureSkipTLSVerify: flag,
  imageScanInterval: duration,
  imageScanCommit: object(
    { authorName: nullableText, authorEmail: nullableText, messageTemplate: nullableText },
    { nullable: true },
  ),
  targetNamespace: text,
  targets: { ...list(anything), nullable: true },
  pollingInterval: text,
  paused: flag,
  serviceAccount: nullableText,
  helmSecretName: text,
  keepResources: flag,
  forceSyncGeneration: count,
});
const gitRepoStatus = object({
  conditions,
  lastSyncedImageScanTime: time,
  lastPollingTriggered: time,
  observedGeneration: count,
  commit: text,
  desiredReadyClusters: count,
  readyClusters: count,
  gitJobStatus: text,
  updateGeneration: count,
  display: anything,
  summary: anything,
  resourceCounts: anything,
});

const CRDS = [
  crd('ImageScan', 'imagescans', imageScanSpec, imageScanStatus, [
    { name: 'Repository', type: 'string', jsonPath: '.spec.image' },
    { name: 'Latest', type: 'string', jsonPath: '.status.latestTag' },
  ]),
  crd('GitRepo', 'gitrepos', gitRepoSpec, gitRepoStatus, [
    { name: 'Repo', type: 'string', jsonPath: '.spec.repo' },
    { name: 'Commit', type: 'string', jsonPath: '.status.commit' },
  ]),
] as const;

/** A kind of Fleet's. */
export type FleetKind = 'imagescans' | 'gitrepos';

/** Installs Fleet's kinds, and waits until the API server serves them. */
export async function installFleetKinds(
  client: KubeClient,
  kinds: readonly FleetKind[] = ['imagescans', 'gitrepos'],
): Promise<void> {
  for (const kind of kinds) {
    const definition = CRDS.find(({ spec }) => spec.names.plural === kind);
    await client.create({ resource: CUSTOM_RESOURCE_DEFINITIONS }, definition ?? {});
  }
  for (const kind of kinds) {
    const resource = kind === 'imagescans' ? FLEET_IMAGE_SCANS : FLEET_GIT_REPOS;
    await waitFor(
      `${kind} of Fleet to be served`,
      async () => (await isServed(client, resource)) || undefined,
    );
  }
}

/** Removes one of Fleet's kinds with all its objects, as an upgrade of Fleet would, and waits until it is gone. */
export async function removeFleetKind(client: KubeClient, kind: FleetKind): Promise<void> {
  await client.delete({ resource: CUSTOM_RESOURCE_DEFINITIONS, name: `${kind}.fleet.cattle.io` });
  const resource = kind === 'imagescans' ? FLEET_IMAGE_SCANS : FLEET_GIT_REPOS;
  await waitFor(`${kind} of Fleet to be gone`, async () => !(await isServed(client, resource)) || undefined);
}

async function isServed(client: KubeClient, resource: typeof FLEET_GIT_REPOS): Promise<boolean> {
  const { status } = await client.raw(
    'GET',
    `/apis/${resource.group}/${resource.version}/${resource.plural}?limit=1`,
  );
  return status === 200;
}

function crd(kind: string, plural: string, spec: Schema, status: Schema, columns: readonly object[]) {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.fleet.cattle.io` },
    spec: {
      group: 'fleet.cattle.io',
      names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase(), categories: ['fleet'] },
      scope: 'Namespaced',
      versions: [
        {
          name: 'v1alpha1',
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: columns,
          schema: {
            openAPIV3Schema: object({
              apiVersion: text,
              kind: text,
              metadata: { type: 'object' },
              spec,
              status,
            }),
          },
        },
      ],
    },
  };
}
