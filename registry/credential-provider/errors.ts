import { CodedError } from '../../core/errors.ts';

/** A credential provider cannot be set up, or does not give credentials. The message names it and holds nothing that it printed as its answer. */
export class ProviderError extends CodedError<'InvalidProviderConfig' | 'ProviderFailed'> {}
