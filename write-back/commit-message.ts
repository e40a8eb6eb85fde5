import { CodedError } from '../core/errors.ts';
import type { FileEdit } from './plan.ts';

/** Why a commit message cannot be made from its template. */
export class TemplateError extends CodedError<'InvalidTemplate'> {}

/** What a message template speaks of. */
export interface CommitData {
  readonly gitRepo: { readonly namespace: string; readonly name: string };
  readonly edits: readonly FileEdit[];
}

/** Fleet's. */
const DEFAULT_MESSAGE = 'Update from image update automation';

/**
 * The message of a commit, with a line feed at its end.
 *
 * @param template Go's text/template; the default message when empty
 * @throws {TemplateError}
 */
export function commitMessage(template: string | null | undefined, _data: CommitData): string {
  if (template?.includes('{{')) {
    throw new TemplateError(
      'InvalidTemplate',
      'imageScanCommit.messageTemplate has {{ }} actions, which are not supported; write plain text',
    );
  }
  const text = template || DEFAULT_MESSAGE;
  return text.endsWith('\n') ? text : `${text}\n`;
}
