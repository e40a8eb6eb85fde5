import type { Decision } from '../core/decision.ts';
import { oneLine } from '../core/one-line.ts';
import type { Operation } from '../core/patch.ts';
import { type Kept, keptWarning, whyDenied, whyKept } from '../core/required.ts';

/** The `AdmissionReview` (admission.k8s.io/v1) that answers a request. */
export interface Answer {
  readonly apiVersion: 'admission.k8s.io/v1';
  readonly kind: 'AdmissionReview';
  readonly response: {
    readonly uid: string;
    readonly allowed: boolean;
    /** Both or none: `patchType` without `patch` is an error of the call. */
    readonly patch?: string;
    readonly patchType?: 'JSONPatch';
    readonly warnings?: readonly string[];
    readonly auditAnnotations?: Readonly<Record<string, string>>;
    readonly status?: { readonly code: number; readonly reason: string; readonly message: string };
  };
}

// The API server may cut a warning over 256 characters, and drops one with control characters in silence.
const WARNING_LENGTH = 250;
const AUDIT_LENGTH = 1024;

/** Lets the pod in with the given changes; a warning tells of each marker that could not be resolved. */
export function allow(uid: string, decisions: readonly Decision[], operations: readonly Operation[]): Answer {
  const warnings = decisions
    .filter((decision) => decision.kind === 'kept')
    .map((kept) => keptWarning(kept, WARNING_LENGTH));
  return review({
    uid,
    allowed: true,
    ...(operations.length > 0 && {
      patchType: 'JSONPatch',
      patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
    }),
    ...(warnings.length > 0 && { warnings }),
    ...audit(decisions),
  });
}

/** Refuses the pod, because it asks to be refused when a marker of it cannot be resolved. */
export function deny(uid: string, unresolved: readonly Kept[]): Answer {
  const message = whyDenied(unresolved, AUDIT_LENGTH);
  return review({
    uid,
    allowed: false,
    status: { code: 403, reason: 'Forbidden', message },
    ...audit(unresolved),
  });
}

function review(response: Answer['response']): Answer {
  return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response };
}

function audit(decisions: readonly Decision[]): { auditAnnotations?: Record<string, string> } {
  if (decisions.length === 0) return {};
  const lines = decisions.map((decision) =>
    decision.kind === 'resolved'
      ? `${decision.image.name}: ${decision.resolution.from} -> ${decision.to} by ${decision.resolution.scan}`
      : whyKept(decision),
  );
  return { auditAnnotations: { images: oneLine(lines.join('; '), AUDIT_LENGTH) } };
}
