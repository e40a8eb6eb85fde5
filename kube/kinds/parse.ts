import { z } from 'zod';
import { CodedError } from '../../core/errors.ts';

/** An object of one of our kinds that does not have its form: stored under an older CRD, or not of this kind at all. */
export class InvalidObjectError extends CodedError<'InvalidObject'> {}

const named = z.object({ metadata: z.object({ namespace: z.string().optional(), name: z.string() }) });

/**
 * Reads an object by its schema; fields that the schema does not know are left out.
 *
 * @throws {InvalidObjectError} that names the object and every wrong field
 */
export function parseObject<S extends z.ZodType>(kind: string, schema: S, raw: unknown): z.infer<S> {
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'object'}: ${message}`);
  throw new InvalidObjectError('InvalidObject', `${kind} ${nameOf(raw)}: ${issues.join('; ')}`);
}

function nameOf(raw: unknown): string {
  const parsed = named.safeParse(raw);
  if (!parsed.success) return '(without a name)';
  const { namespace, name } = parsed.data.metadata;
  return namespace === undefined ? name : `${namespace}/${name}`;
}
