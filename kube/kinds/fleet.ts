import { z } from 'zod';
import { FLEET_GROUP } from '../../core/group.ts';
import { oneLine } from '../../core/one-line.ts';
import { nullableText, objectMeta } from './common.ts';
import { type GitRepo, gitRepoSpec } from './git-repo.ts';
import type { ImageScan } from './image-scan.ts';
import { parseObject } from './parse.ts';

/** Annotation of a GitRepo of Fleet's that stands for `spec.compatibility` of ours. */
export const COMPATIBILITY_ANNOTATION = 'fleetscan.io/compatibility';
/**
 * Annotation of an ImageScan of Fleet's that stands for `status.lastHandledScanRequest` of ours: Fleet's schema has no such
 * field, and the API server drops what a schema has not.
 */
export const HANDLED_REQUEST_ANNOTATION = 'fleetscan.io/scan-handled';

/** Label of what `fleet apply` made: the GitRepo of which it did. */
export const FLEET_REPO_LABEL = 'fleet.cattle.io/repo-name';
/** Label of what `fleet apply` made: the commit of which it did so last. */
export const FLEET_COMMIT_LABEL = 'fleet.cattle.io/commit';

/** The values of {@link COMPATIBILITY_ANNOTATION}, which are those of the field. */
const compatibility = gitRepoSpec.shape.compatibility.unwrap();
/** UTF-16 units of a wrong value in a message. */
const MAX_QUOTED = 50;

// Fleet's schemas allow more than ours: what is wrong in a spec has to become a condition, so it must be readable here.
const optionalText = nullableText.transform((text) => text ?? undefined);
const presentText = nullableText.transform((text) => text ?? '');

/** wrangler's GenericCondition. Loose: what others wrote there is written back whole. */
const conditions = z
  .array(
    z.looseObject({
      type: z.string(),
      status: z.enum(['True', 'False', 'Unknown']).catch('Unknown'),
      reason: z.string().optional(),
      message: z.string().optional(),
      lastTransitionTime: z.string().optional(),
    }),
  )
  .nullish()
  .transform((list) => list ?? undefined);

const secretRef = z
  .object({ name: presentText })
  .nullish()
  .transform((reference) => reference ?? undefined);

export const fleetImageScan = z.object({
  metadata: objectMeta,
  spec: z.object({
    image: presentText,
    tagName: optionalText,
    gitrepoName: optionalText,
    interval: optionalText,
    secretRef,
    suspend: z.boolean().nullish(),
    policy: z
      .object({
        semver: z.object({ range: nullableText }).nullish(),
        alphabetical: z.object({ order: nullableText }).nullish(),
      })
      .nullish(),
  }),
  status: z
    .object({
      observedGeneration: z.int().optional(),
      lastScanTime: z.string().optional(),
      canonicalImageName: z.string().optional(),
      latestTag: z.string().optional(),
      latestImage: z.string().optional(),
      latestDigest: z.string().optional(),
      conditions,
    })
    .default({ conditions: undefined }),
});

/**
 * Reads an ImageScan of Fleet's (`fleet.cattle.io/v1alpha1`) as one of ours: the fields that both have.
 *
 * @throws {InvalidObjectError} that names the object and every wrong field
 */
export function parseFleetImageScan(raw: unknown): ImageScan {
  const { metadata, spec, status } = parseObject('ImageScan', fleetImageScan, raw);
  const handled = metadata.annotations[HANDLED_REQUEST_ANNOTATION];
  return {
    group: FLEET_GROUP,
    metadata,
    spec,
    status: { ...status, ...(handled !== undefined && { lastHandledScanRequest: handled }) },
  };
}

export const fleetGitRepo = z.object({
  metadata: objectMeta,
  spec: z.object({
    repo: presentText,
    branch: optionalText,
    paths: z.array(z.string()).nullish(),
    clientSecretName: optionalText,
    imageScanInterval: optionalText,
    imageScanCommit: z
      .object({ authorName: nullableText, authorEmail: nullableText, messageTemplate: nullableText })
      .nullish(),
    caBundle: optionalText,
    insecureSkipTLSVerify: z.boolean().nullish(),
    bundles: z.array(z.unknown()).nullish(),
  }),
  status: z
    .object({
      commit: optionalText,
      observedGeneration: z.int().optional(),
      lastSyncedImageScanTime: z.string().optional(),
      conditions,
    })
    .default({ commit: undefined, conditions: undefined }),
});

/**
 * Reads a GitRepo of Fleet's (`fleet.cattle.io/v1alpha1`) as one of ours: the fields that image scan uses.
 *
 * @throws {InvalidObjectError} that names the object and every wrong field
 */
export function parseFleetGitRepo(raw: unknown): GitRepo {
  const { metadata, spec, status } = parseObject('GitRepo', fleetGitRepo, raw);
  const { bundles, ...used } = spec;
  // Fleet counts the generation of its own work there.
  const { commit, observedGeneration: _observedGeneration, ...told } = status;
  const asked = compatibility.safeParse(metadata.annotations[COMPATIBILITY_ANNOTATION]);
  return {
    group: FLEET_GROUP,
    metadata,
    spec: { ...used, ...(asked.success && { compatibility: asked.data }) },
    status: told,
    ...(commit && !bundles?.length && { deployedCommit: commit }),
  };
}

/**
 * What is wrong in the annotations of a GitRepo of Fleet's that stand for fields of ours: no schema refuses them, so that a person has to
 * be told in another way.
 */
export function annotationMistake({
  group,
  metadata,
}: Pick<GitRepo, 'group' | 'metadata'>): string | undefined {
  const value = metadata.annotations[COMPATIBILITY_ANNOTATION];
  if (group !== FLEET_GROUP || value === undefined || compatibility.safeParse(value).success)
    return undefined;
  const allowed = compatibility.options.join(' or ');
  return `annotation ${COMPATIBILITY_ANNOTATION} is ${JSON.stringify(oneLine(value, MAX_QUOTED))} and has to be ${allowed}; until then the default of the installation counts`;
}
