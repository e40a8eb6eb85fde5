import { CodedError } from '../core/errors.ts';

/** Why a registry gave no answer. Each is also a reason of the condition ImageScanned. */
export type RegistryErrorCode =
  | 'Unauthorized'
  | 'NotFound'
  | 'RateLimited'
  | 'Unreachable'
  | 'Timeout'
  | 'TLS'
  | 'InvalidAnswer'
  | 'Server';

/**
 * A registry could not be asked, or its answer is of no use. The message names the host and the repository and says what
 * to do; it holds no credentials, no headers and nothing of an answer's body.
 */
export class RegistryError extends CodedError<RegistryErrorCode> {
  /** Milliseconds from now until the registry wants to be asked again, where it said so. */
  readonly retryAfterMs: number | undefined;

  constructor(code: RegistryErrorCode, message: string, options: { retryAfterMs?: number | undefined } = {}) {
    super(code, message);
    this.retryAfterMs = options.retryAfterMs;
  }
}
