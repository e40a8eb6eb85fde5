import { z } from 'zod';
import { type Group, OWN_GROUP } from '../../core/group.ts';
import { conditions, duration, localObjectReference, nullableText, objectMeta, timestamp } from './common.ts';
import { parseObject } from './parse.ts';

const order = z.enum(['asc', 'desc']);
const windows = z
  .array(
    z.object({
      days: z
        .array(z.enum(['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']))
        .optional()
        .describe('Days on which the window opens; all when empty.'),
      start: z
        .string()
        .regex(/^([01]\d|2[0-3]):[0-5]\d$/)
        .describe('Time of day at which the window opens, HH:MM.'),
      duration: duration.describe('How long it stays open.'),
      timeZone: z.string().optional().describe('IANA name of the time zone; UTC when absent.'),
    }),
  )
  .max(32);

const policy = z
  .object({
    semver: z
      .object({
        range: z
          .string()
          .max(512)
          .nullable()
          .optional()
          .describe('Range as Masterminds/semver v3 reads it, such as "^1.2" or ">=1.0.0-0 <2".'),
        versions: z
          .enum(['Lenient', 'Strict'])
          .optional()
          .describe('Lenient (default): "v1.2" and "2024" are versions. Strict: only three full parts are.'),
      })
      .nullable()
      .optional()
      .describe('The highest version that the range allows.'),
    alphabetical: z
      .object({
        order: z
          .string()
          .nullable()
          .optional()
          .describe('"desc" or empty: the greatest tag in byte order. Anything else: the smallest.'),
      })
      .nullable()
      .optional()
      .describe('The first or last tag in byte order.'),
    numerical: z
      .object({ order: order.optional() })
      .optional()
      .describe('The greatest (asc, default) or smallest number.'),
    newest: z
      .object({})
      .optional()
      .describe('The image created last, as its annotation, config or label says; others are passed over.'),
    digest: z
      .object({ tag: z.string().min(1).max(128).describe('The tag to follow.') })
      .optional()
      .describe('One mutable tag, followed by digest; tags are not listed.'),
  })
  .meta({
    'x-kubernetes-validations': [
      {
        rule: '(has(self.numerical) ? 1 : 0) + (has(self.newest) ? 1 : 0) + (has(self.digest) ? 1 : 0) + (has(self.semver) || has(self.alphabetical) ? 1 : 0) <= 1',
        message: 'name one policy only (semver beside alphabetical is accepted as Fleet does: semver wins)',
      },
    ],
  });

export const imageScanSpec = z.object({
  image: z
    .string()
    .min(1)
    .max(512)
    .meta({
      'x-kubernetes-validations': [
        { rule: "!self.contains('://')", message: 'is an image, not a URL: leave out the scheme' },
        { rule: "!self.contains(' ')", message: 'is an image reference and has no spaces' },
      ],
    })
    .describe('The image to follow, such as ghcr.io/acme/app. A tag or digest in it is ignored.'),
  tagName: nullableText.describe('What markers call this scan; metadata.name when absent.'),
  gitrepoName: nullableText.describe(
    'The GitRepo, in this namespace, that this scan is for; all of them when absent.',
  ),
  interval: duration
    .nullable()
    .optional()
    .meta({ default: '15m' })
    .describe('Time between scans, a Go duration of at least 1s; 15m when absent or 0.'),
  secretRef: localObjectReference
    .nullable()
    .optional()
    .describe(
      'A Secret of type kubernetes.io/dockerconfigjson or kubernetes.io/dockercfg in this namespace. Its key ca.crt, if it has one, holds certificates to trust.',
    ),
  imagePullSecrets: z
    .array(localObjectReference)
    .max(16)
    .optional()
    .describe('More Secrets of the same types, as a pod names them.'),
  serviceAccountName: z.string().optional().describe('A ServiceAccount whose imagePullSecrets are used too.'),
  suspend: z.boolean().nullable().optional().describe('Stops scanning. The value in force stays.'),
  policy: policy.nullable().optional().describe('How the tag is chosen; semver "*" when absent.'),
  filterTags: z
    .object({
      pattern: z
        .string()
        .max(1024)
        .describe('Regular expression in Go syntax; other tags are not considered.'),
      extract: z
        .string()
        .max(1024)
        .optional()
        .describe('Replacement that gives the policy its text, such as "$version".'),
    })
    .optional(),
  exclude: z
    .array(z.string().max(1024))
    .max(25)
    .optional()
    .describe('Regular expressions of tags never to choose.'),
  platforms: z
    .array(z.string().max(64))
    .max(32)
    .optional()
    .describe('Platforms, such as linux/arm64, that an image must have before it comes into force.'),
  minimumAge: duration
    .optional()
    .describe('How long we must have known a tag and digest before it comes into force.'),
  verify: z
    .object({
      key: z
        .object({ secretRef: localObjectReference })
        .describe('Secret with the public key under cosign.pub.'),
    })
    .optional()
    .describe('Only images with a cosign signature by this key come into force.'),
  approval: z
    .enum(['Automatic', 'Manual', 'PullRequest'])
    .optional()
    .describe('Who lets a newer image come into force; Automatic when absent.'),
  schedule: z
    .object({ windows })
    .optional()
    .describe('The only times at which a newer image comes into force.'),
  pin: z
    .object({ tag: z.string().max(128).optional(), digest: z.string().max(128).optional() })
    .optional()
    .describe('Holds this tag or digest in force, whatever the policy says.'),
  consistency: z
    .enum(['Admission', 'Revision'])
    .optional()
    .describe(
      'Admission: each pod gets the value in force. Revision: all pods of one revision get the same.',
    ),
  exportTo: z
    .array(z.string().max(63))
    .max(64)
    .optional()
    .describe('Other namespaces whose markers may name this scan; "*" stands for any characters.'),
});
export type ImageScanSpec = z.infer<typeof imageScanSpec>;

const historyEntry = z.object({
  tag: z.string(),
  digest: z.string(),
  image: z.string().describe('Canonical name and tag.'),
  since: timestamp.describe('When it came into force.'),
  cause: z.enum(['Scan', 'Pin', 'Rollback']),
});

export const imageScanStatus = z.object({
  observedGeneration: z.int().optional(),
  lastScanTime: timestamp
    .optional()
    .describe(
      'When the registry last answered with its tags, or with the digest of the tag that is followed.',
    ),
  lastHandledScanRequest: z
    .string()
    .optional()
    .describe('The last value of fleetscan.io/scan-requested-at that was served.'),
  canonicalImageName: z.string().optional(),
  latestTag: z.string().optional().describe('The tag in force.'),
  latestImage: z.string().optional().describe('Canonical name and tag in force.'),
  latestDigest: z.string().optional().describe('Digest in force; of the index for a multi-arch image.'),
  pending: z
    .object({
      tag: z.string(),
      digest: z.string().optional(),
      since: timestamp,
      reason: z.string(),
      message: z.string().optional(),
    })
    .optional()
    .describe('A newer candidate, and why it waits.'),
  history: z.array(historyEntry).max(20).optional().describe('The last values in force, newest first.'),
  tagCount: z.int().optional().describe('How many tags the last list had.'),
  candidates: z
    .array(z.object({ tag: z.string(), verdict: z.string(), message: z.string().optional() }))
    .max(20)
    .optional()
    .describe('The tags around the choice, each with what became of it.'),
  conditions,
});
export type ImageScanStatus = z.infer<typeof imageScanStatus>;

export const imageScan = z.object({
  metadata: objectMeta,
  spec: imageScanSpec,
  status: imageScanStatus.default({}),
});
export type ImageScan = z.infer<typeof imageScan> & { readonly group: Group };

/**
 * Reads an ImageScan of ours as the API server gives it.
 *
 * @throws {InvalidObjectError} that names the object and every wrong field
 */
export function parseImageScan(raw: unknown): ImageScan {
  return { group: OWN_GROUP, ...parseObject('ImageScan', imageScan, raw) };
}

/** Annotation that asks for a scan now; any new value does. Answered in `status.lastHandledScanRequest`. */
export const SCAN_REQUEST_ANNOTATION = 'fleetscan.io/scan-requested-at';
