import { type CodedError, messageOf } from '../core/errors.ts';
import { choose, parsePolicy, type Policy, PolicyError } from '../core/policy.ts';
import { canonicalName, parseReference, type Reference, ReferenceError } from '../core/reference.ts';
import type { Value } from '../core/value.ts';
import type { ImageScan } from '../kube/kinds/image-scan.ts';
import type { RegistryClient } from '../registry/client.ts';
import {
  type Credential,
  CredentialsError,
  credentialsFor,
  type PullSecret,
} from '../registry/credentials.ts';
import { RegistryError, type RegistryErrorCode } from '../registry/errors.ts';
import { IntervalError, parseInterval } from './schedule.ts';
import { SecretError } from './secrets.ts';

/** Why a scan gave nothing: the reason of the condition `ImageScanned`. */
export type ScanFailure =
  | 'InvalidImage'
  | IntervalError['code']
  | PolicyError['code']
  | CredentialsError['code']
  | SecretError['code']
  | RegistryErrorCode
  | 'NoTags'
  | 'NoMatch'
  | 'TagGone';

/** What a scan of a registry gave. */
export type ScanResult =
  | {
      readonly kind: 'selected';
      readonly value: Value;
      readonly tagCount: number;
      /** The choice keeps to the policy but may not be what was meant. */
      readonly warning?: string;
    }
  | {
      readonly kind: 'failed';
      readonly reason: ScanFailure;
      /** What is wrong and what to do. */
      readonly message: string;
      /** Set when the registry did answer with its tags. */
      readonly tagCount?: number;
      readonly retryAfterMs?: number;
    };

/** What {@link scanImage} asks of the world. */
export interface ScanDependencies {
  readonly registry: RegistryClient;
  /** @throws {SecretError | CredentialsError} */
  readonly readPullSecret: (namespace: string, name: string) => Promise<PullSecret>;
  readonly signal: AbortSignal;
}

/**
 * Asks the registry for the tags of an ImageScan's image, chooses one by its policy and finds the digest that it has now.
 *
 * @throws only what is no fault of the scan's: the signal's reason, or a mistake of ours
 */
export async function scanImage(scan: ImageScan, dependencies: ScanDependencies): Promise<ScanResult> {
  let tagCount: number | undefined;
  try {
    const reference = parseReference(scan.spec.image);
    const policy = parsePolicy(scan.spec.policy);
    parseInterval(scan.spec.interval);
    const auth = {
      credentials: await credentials(scan, reference, dependencies),
      signal: dependencies.signal,
    };
    const tags = await dependencies.registry.listTags(reference, auth);
    tagCount = tags.length;
    const choice = tagGone(scan, reference, policy, tags) ?? choose(policy, tags);
    if (choice.kind === 'none')
      return { kind: 'failed', reason: choice.reason, message: choice.message, tagCount: tags.length };
    const { digest } = await dependencies.registry.resolve({ ...reference, tag: choice.tag }, auth);
    const value = { name: reference.name, canonicalName: canonicalName(reference), tag: choice.tag, digest };
    const { warning } = choice;
    return { kind: 'selected', value, tagCount: tags.length, ...(warning !== undefined && { warning }) };
  } catch (error) {
    dependencies.signal.throwIfAborted();
    return { ...failure(error), ...(tagCount !== undefined && { tagCount }) };
  }
}

/**
 * A tag that somebody deleted is no reason to go back to an older one; a change of the spec, which a person makes, is.
 *
 * @returns why the value in force stays, when its tag is missing from the list and would be chosen if it were not
 */
function tagGone(
  { metadata, status }: ImageScan,
  reference: Reference,
  policy: Policy,
  tags: readonly string[],
): { kind: 'none'; reason: 'TagGone'; message: string } | undefined {
  const { latestTag, canonicalImageName, observedGeneration } = status;
  const isOfThisSpec =
    observedGeneration === metadata.generation && canonicalImageName === canonicalName(reference);
  if (!latestTag || !isOfThisSpec || tags.length === 0 || tags.includes(latestTag)) return undefined;
  const choice = choose(policy, [...tags, latestTag]);
  if (choice.kind === 'none' || choice.tag !== latestTag) return undefined;
  const message = `${latestTag} is in force but gone from the registry, which has nothing newer; push it again, or change the spec to go back`;
  return { kind: 'none', reason: 'TagGone', message };
}

async function credentials(
  { metadata, spec }: ImageScan,
  reference: Reference,
  { readPullSecret }: ScanDependencies,
): Promise<Credential[]> {
  if (spec.secretRef === undefined || spec.secretRef === null) return [];
  return credentialsFor([await readPullSecret(metadata.namespace, spec.secretRef.name)], reference);
}

function failure(error: unknown): Extract<ScanResult, { kind: 'failed' }> {
  const message = messageOf(error);
  if (error instanceof ReferenceError) return { kind: 'failed', reason: 'InvalidImage', message };
  if (error instanceof RegistryError) {
    const { code, retryAfterMs } = error;
    return { kind: 'failed', reason: code, message, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  }
  const known = [IntervalError, PolicyError, CredentialsError, SecretError];
  const isKnown = known.some((kind) => error instanceof kind);
  if (isKnown) return { kind: 'failed', reason: (error as CodedError<ScanFailure>).code, message };
  throw error;
}
