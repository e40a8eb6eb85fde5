import type { z } from 'zod';
import { RegistryError } from './errors.ts';
import { type Answer, hostFor, type RegistryRequest } from './request.ts';

/**
 * Reads an answer's body as JSON of the given form.
 *
 * @param what the thing that was asked for, for the message
 * @throws {RegistryError} 'InvalidAnswer' when it is not
 */
export function parseBody<T>(
  schema: z.ZodType<T>,
  answer: Answer,
  request: Pick<RegistryRequest, 'repository'>,
  what: string,
): T {
  const parsed = schema.safeParse(parseJson(answer.body));
  if (parsed.success) return parsed.data;
  throw new RegistryError(
    'InvalidAnswer',
    `${hostFor(answer.url, request.repository)} does not give ${what} in the form that a registry must`,
  );
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
