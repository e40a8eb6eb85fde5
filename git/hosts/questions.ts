import type { Question } from './call.ts';

/** Makes a {@link Question} on one repository: below its path in the API, and with its name behind `what`. */
export type QuestionMaker = (
  method: Question['method'],
  path: string,
  what: string,
  body?: unknown,
) => Question;

/**
 * @param base of the repository in the API, its parts escaped
 * @param name of the repository, as messages have it
 */
export function questionsOn(base: string, name: string): QuestionMaker {
  return (method, path, what, body) => ({ method, path: `${base}${path}`, what: `${what} ${name}`, body });
}
