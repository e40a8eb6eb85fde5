import { z } from 'zod';
import { CodedError } from '../../core/errors.ts';

/** Which object of the cluster could not be read. */
export interface ObjectIdentity {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** An object of one of our kinds that does not have its form: stored under an older CRD, or not of this kind at all. */
export class InvalidObjectError extends CodedError<'InvalidObject'> {
  /** Unset for one without a name. */
  readonly object: ObjectIdentity | undefined;

  constructor(message: string, object?: ObjectIdentity) {
    super('InvalidObject', message);
    this.object = object;
  }
}

const identified = z.object({
  metadata: z.object({
    namespace: z.string().default(''),
    name: z.string(),
    uid: z.string().default('').catch(''),
  }),
});

/**
 * Reads an object by its schema; fields that the schema does not know are left out.
 *
 * @throws {InvalidObjectError} that names the object and every wrong field
 */
export function parseObject<S extends z.ZodType>(kind: string, schema: S, raw: unknown): z.infer<S> {
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'object'}: ${message}`);
  const { data } = identified.safeParse(raw);
  const object = data && { kind, ...data.metadata };
  throw new InvalidObjectError(`${kind} ${nameOf(object)}: ${issues.join('; ')}`, object);
}

function nameOf(object: ObjectIdentity | undefined): string {
  if (object === undefined) return '(without a name)';
  return object.namespace === '' ? object.name : `${object.namespace}/${object.name}`;
}
