import { z } from 'zod';
import { FLEET_GROUP } from '../../core/group.ts';
import { answerError, ApiError } from '../../kube/errors.ts';
import type { KubeClient } from '../../kube/client.ts';
import { VERSION } from '../../kube/kinds/common.ts';
import {
  DEPLOYMENTS,
  FLEET_GIT_REPOS,
  FLEET_IMAGE_SCANS,
  GIT_REPOS,
  MUTATING_WEBHOOKS,
} from '../../kube/resource.ts';
import type { Connection } from '../connection.ts';
import { serverObject } from '../objects.ts';
import { type Role, roleOf } from './deployments.ts';
import type { FleetController, Facts, Installation } from './facts.ts';
import { gitRepoFacts, scanFacts } from './object-facts.ts';
import { Reader } from './reader.ts';

/** Where Fleet and Fleetscan are as a rule: looked into where all namespaces may not be. */
const USUAL_NAMESPACES = ['cattle-fleet-system', 'fleetscan-system'];

/** What was read of the cluster, and a sentence for all that could not be. */
export interface Gathered {
  readonly facts: Facts;
  readonly unread: readonly string[];
}

/**
 * Reads with the user's rights all that {@link Facts} hold. What is forbidden is left unknown, and told.
 *
 * @throws {ApiError} when the API server does not answer, or not even who it serves
 */
export async function gather({ client, namespace }: Connection): Promise<Gathered> {
  const reader = new Reader(client);
  const here = [namespace];
  const [kinds, roles, webhooks, scans, gitRepos, own] = await Promise.all([
    servedKinds(client),
    reader.list(DEPLOYMENTS, roleOf, [...new Set([...USUAL_NAMESPACES, namespace])]),
    reader.list(MUTATING_WEBHOOKS, (raw) => seesImageScans(raw) || undefined, []),
    reader.list(FLEET_IMAGE_SCANS, scanFacts, here),
    reader.list(FLEET_GIT_REPOS, gitRepoFacts, here),
    reader.list(GIT_REPOS, keyOf, here),
  ]);
  const facts = {
    now: Date.now(),
    kinds,
    ...rolesIn(roles),
    hasWebhookRule: webhooks && webhooks.items.length > 0,
    scans: scans?.items,
    gitRepos: gitRepos?.items,
    ownGitRepos: own && new Set(own.items),
  };
  return { facts, unread: reader.unread };
}

const discovery = z.object({ resources: z.array(z.object({ name: z.string() })) });

async function servedKinds(client: KubeClient): Promise<Facts['kinds']> {
  const { status, body } = await client.raw('GET', `/apis/${FLEET_GROUP}/${VERSION}`);
  if (status === 404) return { gitRepos: false, imageScans: false };
  if (status !== 200) throw answerError(status, body);
  const parsed = discovery.safeParse(JSON.parse(body));
  if (!parsed.success)
    throw new ApiError('Server', `the API server does not list the kinds of ${FLEET_GROUP}`);
  const names = new Set(parsed.data.resources.map(({ name }) => name));
  return { gitRepos: names.has('gitrepos'), imageScans: names.has('imagescans') };
}

type Roles = { readonly items: readonly Role[]; readonly isWhole: boolean } | undefined;

/** What was found counts; that there is none is known only when all namespaces could be read. */
function rolesIn(roles: Roles): Pick<Facts, 'controllers' | 'fleetscan'> {
  const controllers: FleetController[] = [];
  const installations: Installation[] = [];
  for (const role of roles?.items ?? []) {
    if (role.kind === 'fleet') controllers.push(role.controller);
    else installations.push(role.installation);
  }
  const isWhole = roles?.isWhole === true;
  return {
    controllers: controllers.length > 0 || isWhole ? controllers : undefined,
    fleetscan: installations[0] ?? (isWhole ? 'none' : undefined),
  };
}

const webhookConfiguration = z.object({
  webhooks: z
    .array(
      z.object({
        rules: z
          .array(z.object({ apiGroups: z.array(z.string()), resources: z.array(z.string()) }))
          .default([]),
      }),
    )
    .default([]),
});

function seesImageScans(raw: unknown): boolean {
  const { data } = webhookConfiguration.safeParse(raw);
  const rules = data?.webhooks.flatMap(({ rules }) => rules) ?? [];
  return rules.some(
    ({ apiGroups, resources }) => apiGroups.includes(FLEET_GROUP) && resources.includes('imagescans'),
  );
}

function keyOf(raw: unknown): string {
  const { namespace, name } = serverObject(raw).metadata;
  return `${namespace}/${name}`;
}
