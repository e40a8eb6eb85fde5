import { z } from 'zod';
import { CodedError } from '../core/errors.ts';

/**
 * What went wrong with a call to the API server. `Expired`: a resourceVersion or page is too old (HTTP 410).
 * `Unreachable`: no answer at all. `Server`: an answer that is neither a success nor one of the others.
 */
export type ApiErrorCode =
  | 'NotFound'
  | 'AlreadyExists'
  | 'Conflict'
  | 'Expired'
  | 'Forbidden'
  | 'Unauthorized'
  | 'Invalid'
  | 'TooManyRequests'
  | 'Unreachable'
  | 'Server'
  | 'BadRequest';

/** The API server refused a call or did not answer it. The message is the server's own where it gave one. */
export class ApiError extends CodedError<ApiErrorCode> {
  /** The HTTP status, when there was an answer. */
  readonly status?: number;
  /** `details` of the answer's `Status` object. */
  readonly details?: unknown;

  constructor(
    code: ApiErrorCode,
    message: string,
    more: { status?: number; details?: unknown; cause?: unknown } = {},
  ) {
    super(code, message, more.cause === undefined ? undefined : { cause: more.cause });
    if (more.status !== undefined) this.status = more.status;
    if (more.details !== undefined) this.details = more.details;
  }
}

/** The kubeconfig or the credentials in it cannot be used. */
export class KubeconfigError extends CodedError<'NoCluster' | 'InvalidKubeconfig' | 'UnknownContext'> {}

const CODES: ReadonlyMap<number, ApiErrorCode> = new Map([
  [400, 'BadRequest'],
  [401, 'Unauthorized'],
  [403, 'Forbidden'],
  [404, 'NotFound'],
  [405, 'BadRequest'],
  [406, 'BadRequest'],
  [409, 'Conflict'],
  [410, 'Expired'],
  [413, 'BadRequest'],
  [415, 'BadRequest'],
  [422, 'Invalid'],
  [429, 'TooManyRequests'],
]);

const cause = z.object({ reason: z.string().optional() });
const statusObject = z.object({
  kind: z.literal('Status'),
  code: z.number().optional(),
  reason: z.string().optional(),
  message: z.string().optional(),
  details: z.looseObject({ causes: z.array(cause).nullish() }).nullish(),
});

/** The error for an HTTP answer that is not 2xx. Its body is a `Status` object, or whatever a proxy between said. */
export function answerError(status: number, body: string): ApiError {
  return (
    statusError(parseJson(body), status) ??
    new ApiError(codeOf(status), plainMessage(status, body), { status })
  );
}

/** The error that a `Status` object stands for, such as the object of a watch's ERROR event; undefined if it is none. */
export function statusError(object: unknown, httpStatus?: number): ApiError | undefined {
  const parsed = statusObject.safeParse(object);
  if (!parsed.success) return undefined;
  const { code, reason, message, details } = parsed.data;
  const status = httpStatus ?? code ?? 500;
  return new ApiError(
    reason === 'AlreadyExists' ? 'AlreadyExists' : codeOf(status),
    message ?? plainMessage(status, ''),
    { status, ...(details && { details }) },
  );
}

/**
 * True when only a new list helps: the resourceVersion is too old, or newer than anything the server knows, as after its
 * etcd was restored from a backup.
 */
export function needsRelist(error: ApiError): boolean {
  if (error.code === 'Expired') return true;
  const details = z.object({ causes: z.array(cause) }).safeParse(error.details);
  return details.success && details.data.causes.some(({ reason }) => reason === 'ResourceVersionTooLarge');
}

function codeOf(status: number): ApiErrorCode {
  return CODES.get(status) ?? 'Server';
}

function plainMessage(status: number, body: string): string {
  const text = body.trim().split('\n', 1)[0]?.slice(0, 200) ?? '';
  return `the API server answered HTTP ${status}${text === '' ? '' : `: ${text}`}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
