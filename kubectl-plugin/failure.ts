import { CodedError } from '../core/errors.ts';

/** The command line cannot be carried out as it is. */
export class UsageError extends CodedError<'Usage'> {}

/** What was asked for was done, and did not lead where it should; the user has been told on the way. */
export class Unsuccessful extends CodedError<'Unsuccessful'> {}

// Those of kube/errors.ts that a server has said, by which kubectl words them.
const FROM_SERVER = new Set([
  'NotFound',
  'Forbidden',
  'Conflict',
  'AlreadyExists',
  'Invalid',
  'BadRequest',
  'Unauthorized',
]);

/** Tells the user what went wrong, in kubectl's words, and sets the exit code to 1. */
export function report(error: unknown): void {
  process.exitCode = 1;
  if (error instanceof Unsuccessful) return;
  process.stderr.write(`${text(error)}\n`);
}

function text(error: unknown): string {
  if (!(error instanceof CodedError))
    return `error: ${(error instanceof Error && error.stack) || String(error)}`;
  const code: string = error.code;
  return FROM_SERVER.has(code) ? `Error from server (${code}): ${error.message}` : `error: ${error.message}`;
}
