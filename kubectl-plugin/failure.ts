import { CodedError } from '../core/errors.ts';
import { ApiError } from '../kube/errors.ts';
import { API_VERSION } from '../kube/kinds/common.ts';

/** The command line cannot be carried out as it is. */
export class UsageError extends CodedError<'Usage'> {}

/** A scan was asked for and not had. */
export class ScanError extends CodedError<'Suspended' | 'Deleted' | 'NoAnswer' | 'Failed'> {}

/** Of the ImageScans that there are, the one that was meant cannot be told. */
export class LookupError extends CodedError<'Ambiguous' | 'FleetNotInstalled'> {}

/** A part of the work could not be done; the rest was. */
export class PartError extends CodedError<'Failed'> {}

/** Tells the user what went wrong, in kubectl's words, and sets the exit code to 1. Of several errors it tells each. */
export function report(error: unknown): void {
  process.exitCode = 1;
  const errors: unknown[] = error instanceof AggregateError ? error.errors : [error];
  // Whom the server does not know it cuts off, and so other calls fail as well.
  const unknownUser = errors.filter((each) => each instanceof ApiError && each.code === 'Unauthorized');
  const told = unknownUser.length > 0 ? unknownUser : errors;
  for (const text of new Set(told.map(errorText))) process.stderr.write(`${text}\n`);
}

/** An error as kubectl words it (k8s.io/kubectl/pkg/cmd/util, `StandardErrorMessage`). */
export function errorText(error: unknown): string {
  if (error instanceof ApiError && error.status !== undefined) return serverText(error);
  if (error instanceof CodedError) return `error: ${error.message}`;
  // A mistake of ours: where it happened helps whoever looks into it.
  return `error: ${(error instanceof Error && error.stack) || String(error)}`;
}

function serverText(error: ApiError): string {
  const { code, message } = error;
  if (code === 'Unauthorized') return `error: You must be logged in to the server (${message})`;
  if (code === 'Server') return `Error from server: ${message}`;
  if (isKindAbsent(error))
    return `error: the server does not have the resources of ${API_VERSION}; is Fleetscan installed in this cluster?`;
  return `Error from server (${code}): ${message}`;
}

/** Has the server no such kind? That an object is not there is another thing, and the answer names it. */
export function isKindAbsent(error: unknown): error is ApiError {
  return error instanceof ApiError && error.code === 'NotFound' && !namesAnObject(error);
}

function namesAnObject({ details }: ApiError): boolean {
  return typeof details === 'object' && details !== null && 'name' in details && details.name !== '';
}
