import type { CommitData } from './message-data.ts';
import { renderMessage, TemplateError, tryTemplate } from './message-template.ts';
import { withTrailer } from './trailers.ts';

export { type CommitData, TemplateError };

/** Fleet's. */
const DEFAULT_MESSAGE = 'Update from image update automation';
const FIELD = 'spec.imageScanCommit.messageTemplate';

/** What a message may have beside its text. */
export interface MessageOptions {
  /** Who signs off: https://developercertificate.org. */
  readonly signOff?: { readonly name: string; readonly email: string };
}

/**
 * The message of a commit: Unicode without NUL, with a line feed at its end and no blank lines around it.
 *
 * @param template Go's text/template, docs/commit-messages.md; the default message when it is empty or gives nothing
 * @throws {TemplateError}
 */
export function commitMessage(
  template: string | null | undefined,
  data: CommitData,
  { signOff }: MessageOptions = {},
): string {
  const text = trimmed(renderMessage(FIELD, template || DEFAULT_MESSAGE, data)) || DEFAULT_MESSAGE;
  return signOff === undefined ? `${text}\n` : withTrailer(`${text}\n`, signedOffBy(signOff));
}

/**
 * Finds the mistakes of a message template, before there is anything to write.
 *
 * @throws {TemplateError}
 */
export function checkTemplate(template: string | null | undefined): void {
  tryTemplate(FIELD, template || DEFAULT_MESSAGE);
}

/** Without the blank lines before, and the white space after: Git's own tools clean messages so. */
function trimmed(text: string): string {
  const lines = text.trimEnd().split('\n');
  return lines.slice(lines.findIndex((line) => line.trim() !== '')).join('\n');
}

/** Git leaves these characters out of names, too. */
function signedOffBy({ name, email }: { name: string; email: string }): string {
  const clean = (text: string): string =>
    text
      .toWellFormed()
      .replaceAll(/[\p{Cc}<>]/gu, '')
      .trim();
  return `Signed-off-by: ${clean(name)} <${clean(email)}>`;
}
