import { CodedError } from '../core/errors.ts';
import { PolicyError } from '../core/policy/selection.ts';
import { ReferenceError } from '../core/reference.ts';
import { ProviderError } from '../registry/credential-provider/errors.ts';
import { CredentialsError } from '../registry/credentials.ts';
import { RegistryError, type RegistryErrorCode } from '../registry/errors.ts';
import { IntervalError } from './interval.ts';
import { SecretError } from '../kube/secret.ts';
import { ServiceAccountError } from '../kube/service-account.ts';

/** Thrown where a scan asks for more than is done. */
export class ScanError extends CodedError<'TooManyTags'> {}

/** Why a scan gave nothing: the reason of the condition `ImageScanned`. */
export type FailureReason =
  | 'InvalidImage'
  | IntervalError['code']
  | PolicyError['code']
  | CredentialsError['code']
  | SecretError['code']
  | ServiceAccountError['code']
  | ProviderError['code']
  | RegistryErrorCode
  | ScanError['code']
  | 'NoTags'
  | 'NoMatch'
  | 'NoImage'
  | 'TagGone'
  | 'TagReplaced'
  | 'TagMovedBack';

/** A failure as a condition tells it. */
export interface Failure {
  readonly reason: FailureReason;
  /** What is wrong and what to do. */
  readonly message: string;
  /** Milliseconds from now until the registry wants to be asked again, where it said so. */
  readonly retryAfterMs?: number;
}

/**
 * What an error means for the scan in which it was thrown.
 *
 * @param notes what was noticed about the credentials, worth telling when the registry refuses them
 * @throws {unknown} the error itself when it is no fault of the scan's
 */
export function failureOf(error: unknown, notes: readonly string[]): Failure {
  if (error instanceof ReferenceError) return { reason: 'InvalidImage', message: error.message };
  if (error instanceof RegistryError) return registryFailure(error, notes);
  if (isOfScan(error)) return { reason: error.code, message: error.message };
  throw error;
}

function registryFailure({ code, message, retryAfterMs }: RegistryError, notes: readonly string[]): Failure {
  const text = code === 'Unauthorized' ? [message, ...notes].join('; ') : message;
  return { reason: code, message: text, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}

const OF_SCAN = [
  IntervalError,
  PolicyError,
  CredentialsError,
  SecretError,
  ServiceAccountError,
  ProviderError,
  ScanError,
] as const;

function isOfScan(error: unknown): error is InstanceType<(typeof OF_SCAN)[number]> {
  return OF_SCAN.some((kind) => error instanceof kind);
}
