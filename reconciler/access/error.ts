import { CodedError } from '../../core/errors.ts';

/** What a GitRepo names for its access to Git is of no use. The message names the object and says what to put there. */
export class AccessError extends CodedError<
  'WrongSecretType' | 'InvalidSecret' | 'InvalidCABundle' | 'KnownHostsUnavailable'
> {}
