import { CodedError } from '../core/errors.ts';
import { TemplateError as EngineError } from '../core/template/errors.ts';
import { render } from '../core/template/execution.ts';
import { parseTemplate } from '../core/template/parser.ts';
import { type CommitData, messageData, SAMPLE } from './message-data.ts';

/** Why a message cannot be made from its template. */
export class TemplateError extends CodedError<'InvalidTemplate'> {}

/**
 * Carries a message's template out.
 *
 * @param field where the template stands, for the message of an error
 * @returns Unicode without NUL and with line feeds alone; what went beyond the limits is cut off, and says so
 * @throws {TemplateError}
 */
export function renderMessage(field: string, template: string, data: CommitData): string {
  return rendered(field, template, data).text;
}

/**
 * Tries a template on a sample, so that a mistake in it shows before there is anything to write.
 *
 * @throws {TemplateError} that names field, line and column
 */
export function tryTemplate(field: string, template: string): void {
  const { cut } = rendered(field, template, SAMPLE);
  if (cut !== undefined)
    throw new TemplateError('InvalidTemplate', `${field} is too costly: ${cut}; make it simpler`);
}

function rendered(field: string, template: string, data: CommitData): { text: string; cut?: string } {
  try {
    const { text, cut } = render(parseTemplate(template), template.includes('{{') ? messageData(data) : null);
    if (text.includes('\0'))
      throw new TemplateError('InvalidTemplate', `${field} gives a NUL, which Git does not allow; remove it`);
    const clean = text.toWellFormed().replaceAll(/\r\n?/g, '\n');
    return cut === undefined ? { text: clean } : { text: cutShort(clean), cut };
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    throw new TemplateError('InvalidTemplate', `${field}, ${error.message}`, { cause: error });
  }
}

/** A message that is too long is no reason to leave images as they are. */
function cutShort(text: string): string {
  const end = text.lastIndexOf('\n') + 1;
  return `${end > 0 ? text.slice(0, end) : text}…\n`;
}
