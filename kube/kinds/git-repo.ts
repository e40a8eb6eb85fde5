import { z } from 'zod';
import { type Group, OWN_GROUP } from '../../core/group.ts';
import { conditions, duration, localObjectReference, nullableText, objectMeta, timestamp } from './common.ts';
import { parseObject } from './parse.ts';

export const gitRepoSpec = z.object({
  repo: z
    .string()
    .min(1)
    .max(2048)
    .describe('URL of the repository: https://…, http://…, ssh://… or git@host:path.'),
  branch: nullableText.describe('The branch to read and write; "master" when absent, as Fleet has it.'),
  paths: z
    .array(z.string().max(1024))
    .max(256)
    .nullable()
    .optional()
    .describe('Folders, files and globs of them to look for markers in; the whole repository when absent.'),
  clientSecretName: nullableText.describe('Secret, in this namespace, with the credentials for Git.'),
  imageScanInterval: duration
    .nullable()
    .optional()
    .meta({ default: '15m' })
    .describe('How often Git is compared with the values in force, at least 1s; 15m when absent or 0.'),
  imageScanCommit: z
    .object({
      authorName: nullableText,
      authorEmail: nullableText,
      messageTemplate: nullableText.describe('Commit message; a Go text/template.'),
      signOff: z.boolean().optional().describe('Adds a Signed-off-by line with the author.'),
    })
    .nullable()
    .optional(),
  caBundle: nullableText.describe('PEM certificates, base64, that the Git server is verified with.'),
  insecureSkipTLSVerify: z.boolean().nullable().optional(),
  suspend: z.boolean().optional().describe('Stops write-back.'),
  compatibility: z
    .enum(['None', 'Fleet'])
    .optional()
    .describe(
      'Fleet: what is written has the canonical spelling of the image, and the digest of its linux/amd64 platform, as Fleet writes them. None: the spelling that stands there, and the digest of the index. The default of the installation when absent.',
    ),
  push: z
    .object({
      branch: z
        .string()
        .max(255)
        .optional()
        .describe(
          'Branch to push to, when it is not the one that is read; with a pull request, fleetscan/NAMESPACE/NAME/BRANCH when absent.',
        ),
    })
    .optional(),
  pullRequest: z
    .object({
      provider: z
        .enum(['GitHub', 'GitLab', 'Gitea', 'Bitbucket'])
        .describe('The program that hosts the repository; Gitea is Forgejo, too.'),
      apiURL: z
        .string()
        .max(2048)
        .optional()
        .describe('Base URL of its API; derived from spec.repo when absent.'),
      secretRef: localObjectReference
        .optional()
        .describe('Secret with a token for the API; that of spec.clientSecretName when absent.'),
      title: z.string().max(512).optional().describe('Title; a Go text/template as the commit message.'),
      labels: z.array(z.string().max(256)).max(32).optional(),
      assignees: z.array(z.string().max(256)).max(32).optional().describe('Login names.'),
    })
    .optional()
    .describe('Opens a pull request in place of a push to the branch.'),
  signing: z
    .object({
      format: z.enum(['SSH', 'OpenPGP']),
      secretRef: localObjectReference.describe('Secret, in this namespace, with the key.'),
    })
    .optional()
    .describe('Signs commits with the key in a Secret.'),
});
export type GitRepoSpec = z.infer<typeof gitRepoSpec>;

/**
 * What Fleet's GitRepo has for deploying. We accept and ignore it, so that a Fleet object needs a new apiVersion only and
 * `kubectl apply`, which refuses fields it does not know, takes it.
 */
export const FLEET_ONLY_FIELDS = [
  'bundles',
  'correctDrift',
  'deleteNamespace',
  'disablePolling',
  'forceSyncGeneration',
  'helmRepoURLRegex',
  'helmSecretName',
  'helmSecretNameForPaths',
  'keepResources',
  'ociRegistry',
  'ociRegistrySecret',
  'paused',
  'pollingInterval',
  'revision',
  'serviceAccount',
  'targetNamespace',
  'targets',
  'webhookSecret',
] as const;

/** A marker or file that write-back left alone. */
const leftAlone = z.object({
  file: z.string(),
  line: z.int().optional(),
  reason: z.string(),
  message: z.string().optional(),
});

export const gitRepoStatus = z.object({
  observedGeneration: z.int().optional(),
  lastSyncedImageScanTime: timestamp
    .optional()
    .describe('When Git was last found or made to agree with the values in force.'),
  commit: z.string().optional().describe('The commit that was last read.'),
  lastPushCommit: z.string().optional().describe('The last commit that write-back pushed.'),
  lastPushTime: timestamp.optional(),
  pullRequest: z
    .object({ number: z.int(), url: z.string(), state: z.enum(['Open', 'Merged', 'Closed']) })
    .optional()
    .describe('The last pull request of this GitRepo.'),
  proposal: z
    .object({
      branch: z.string(),
      commit: z
        .string()
        .optional()
        .describe('Its one commit, which other values replace; absent when people pushed to the branch.'),
      head: z
        .string()
        .optional()
        .describe('The head of the branch when it was last looked at, whoever made it.'),
      changes: z.string().describe('Stands for what it changes; what people closed is not proposed again.'),
    })
    .optional()
    .describe('What waits on a branch of our own to be merged.'),
  markers: z
    .object({ total: z.int(), current: z.int(), leftAlone: z.int() })
    .optional()
    .describe(
      'How many markers there are, how many agree with the values in force, and how many were left alone.',
    ),
  leftAlone: z
    .array(leftAlone)
    .max(20)
    .optional()
    .describe('The first markers and files left alone, and why.'),
  conditions,
});
export type GitRepoStatus = z.infer<typeof gitRepoStatus>;

export const gitRepo = z.object({
  metadata: objectMeta,
  spec: gitRepoSpec,
  status: gitRepoStatus.default({}),
});
export type GitRepo = z.infer<typeof gitRepo> & {
  readonly group: Group;
  /**
   * Of one of Fleet's: the commit that Fleet deploys. Absent before the first one, and where its bundles are named one by one
   * (`spec.bundles`), so that they may have files under any names.
   */
  readonly deployedCommit?: string;
};

/**
 * Reads a GitRepo of ours as the API server gives it.
 *
 * @throws {InvalidObjectError} that names the object and every wrong field
 */
export function parseGitRepo(raw: unknown): GitRepo {
  return { group: OWN_GROUP, ...parseObject('GitRepo', gitRepo, raw) };
}
