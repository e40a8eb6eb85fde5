import type { Marker } from '../../core/marker.ts';
import { oneLine } from '../../core/one-line.ts';
import { type Lookup, type Scan, scanKey } from '../../core/scan.ts';
import type { Value } from '../../core/value.ts';
import { CodedError } from '../../core/errors.ts';
import type { EditPlan } from '../../write-back/plan.ts';

/** Tells the digest of the linux/amd64 image that a value leads to; undefined when it has none. */
export type AskAmd64 = (scan: Scan, value: Value) => Promise<string | undefined>;

type Found = Extract<Lookup, { kind: 'found' }>;
type Answer =
  | { readonly kind: 'digest'; readonly digest: string }
  | { readonly kind: 'none' }
  | { readonly kind: 'failed'; readonly message: string };

const NOT_ASKED = 'the registry is being asked for its linux/amd64 digest';

/**
 * Plans edits with the values that Fleet writes: names in the canonical spelling, and the digest of the linux/amd64 image of an
 * index. What registries have to be asked for is found by a first plan, and only then asked.
 *
 * @param find looks up a marker as ever
 * @param planWith makes the plan with another look-up
 */
export async function planAsFleet(
  find: (marker: Marker) => Lookup,
  planWith: (find: (marker: Marker) => Lookup) => Promise<EditPlan>,
  ask: AskAmd64,
): Promise<EditPlan> {
  const answers = new Map<string, Answer>();
  for (;;) {
    const open = new Map<string, { scan: Scan; value: Value }>();
    const plan = await planWith((marker) => asFleet(find(marker), answers, open));
    if (open.size === 0) return withFailures(plan, answers.values());
    await Promise.all(
      [...open].map(async ([key, { scan, value }]) => answers.set(key, await answer(ask, scan, value))),
    );
  }
}

function asFleet(
  lookup: Lookup,
  answers: ReadonlyMap<string, Answer>,
  open: Map<string, { scan: Scan; value: Value }>,
): Lookup {
  if (lookup.kind === 'refused' || lookup.scan.inForce === undefined) return lookup;
  const { scan, reading } = lookup;
  const value = { ...lookup.scan.inForce, spelling: 'Canonical' as const };
  if (reading.form !== 'digest' && reading.form !== 'sha') return withValue(lookup, value);
  const key = `${value.canonicalName}@${value.digest}`;
  const known = answers.get(key);
  if (known === undefined) open.set(key, { scan, value });
  switch (known?.kind) {
    case 'digest':
      return withValue(lookup, { ...value, digest: known.digest });
    case undefined:
      return noValue(scan, NOT_ASKED);
    case 'none':
      return noValue(scan, `no child with platform linux/amd64 in index ${key}`);
    case 'failed':
      return noValue(scan, known.message);
  }
}

function withValue(lookup: Found, inForce: Value): Lookup {
  return { ...lookup, scan: { ...lookup.scan, inForce } };
}

function noValue(scan: Scan, why: string): Lookup {
  const message = `scan ${scanKey(scan)} has no value as Fleet writes it: ${why}`;
  return { kind: 'refused', reason: 'NoValue', message: oneLine(message, 1000) };
}

async function answer(ask: AskAmd64, scan: Scan, value: Value): Promise<Answer> {
  try {
    const digest = await ask(scan, value);
    return digest === undefined ? { kind: 'none' } : { kind: 'digest', digest };
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return { kind: 'failed', message: `${error.code}: ${error.message}` };
  }
}

/** A marker that waits for a registry is no agreement: the run is to be repeated. */
function withFailures(plan: EditPlan, answers: Iterable<Answer>): EditPlan {
  const isIncomplete = Iterator.from(answers).some(({ kind }) => kind === 'failed');
  return isIncomplete ? { ...plan, isIncomplete } : plan;
}
