import { z } from 'zod';
import { messageOf } from '../../core/errors.ts';
import { choose } from '../../core/policy/choose.ts';
import { parseSelection, PolicyError, type SelectionSpec } from '../../core/policy/selection.ts';
import type { Outcome } from './outcome.ts';

/** One line of a `.jsonl` file: a range, the tags in the order of the registry, and the tag to be chosen. */
const rangeCase = z.object({
  range: z.string(),
  tags: z.array(z.string()),
  want: z.string().nullable(),
  error: z.enum(['no match', 'invalid range']).nullish(),
});
type RangeCase = z.infer<typeof rangeCase>;

const text = z.string().nullish();
const policy = z.strictObject({
  semver: z.strictObject({ range: text, versions: z.enum(['Lenient', 'Strict']).optional() }).nullish(),
  alphabetical: z.strictObject({ order: text }).nullish(),
  numerical: z.strictObject({ order: z.enum(['asc', 'desc']).optional() }).nullish(),
  newest: z.strictObject({}).nullish(),
  digest: z.strictObject({ tag: z.string() }).nullish(),
});
/** A case that was observed at Fleet: `latest` is its choice, `error` the text it gave instead. */
const fleetCase = z.object({
  name: z.string(),
  policy: policy.nullish(),
  filterTags: z.strictObject({ pattern: z.string(), extract: text }).nullish(),
  exclude: z.array(z.string()).nullish(),
  tags: z.array(z.string()).nullable(),
  latest: text,
  error: text,
});
type FleetCase = z.infer<typeof fleetCase>;
const fleetFile = z.object({ cases: z.array(z.unknown()) });

/** What came of a policy and its tags: the tag, or the reason for none in the words of either form of file. */
type Result =
  | { readonly kind: 'chosen'; readonly tag: string }
  | { readonly kind: 'none'; readonly reason: string; readonly message: string };

/**
 * Runs the policy cases of a file, whose form its content tells: one JSON object with `cases`, or one JSON object a line.
 *
 * @throws {Error} that names the place when the content is neither
 */
export function runPolicy(content: string): Outcome[] {
  const file = fleetFile.safeParse(tryParse(content));
  if (file.success) {
    const cases = file.data.cases.map((one, index) => read(fleetCase, one, `case ${index + 1}`));
    return cases.map((one) => ({ name: one.name, ...judgeFleetCase(one) }));
  }
  const lines = content.split('\n').map((line, index) => ({ line, name: `line ${index + 1}` }));
  return lines
    .filter(({ line }) => line.trim() !== '')
    .map(({ line, name }) => ({ name, ...judgeRangeCase(read(rangeCase, parse(line, name), name)) }));
}

type Verdict = Pick<Outcome, 'failure'>;

function judgeRangeCase({ range, tags, want, error }: RangeCase): Verdict {
  const result = run({ policy: { semver: { range } } }, tags);
  const came = result.kind === 'chosen' ? { want: result.tag } : { want: null, error: result.reason };
  const same = came.want === want && came.error === (error ?? came.error);
  return same ? {} : { failure: difference({ range, tags }, { want, error }, came) };
}

function judgeFleetCase({ tags, latest, error, ...spec }: FleetCase): Verdict {
  const result = run(spec, tags ?? []);
  const came = result.kind === 'chosen' ? { latest: result.tag } : { latest: null, error: result.message };
  const same = came.latest === (latest ?? null) && sameError(came.error, error ?? undefined);
  return same ? {} : { failure: difference({ ...spec, tags }, { latest, error }, came) };
}

function run(spec: SelectionSpec, tags: readonly string[]): Result {
  try {
    const choice = choose(parseSelection(spec), tags);
    return choice.kind === 'chosen' ? choice : { ...choice, reason: 'no match' };
  } catch (error) {
    const invalidRange = error instanceof PolicyError && error.code === 'InvalidRange';
    return { kind: 'none', reason: invalidRange ? 'invalid range' : 'error', message: messageOf(error) };
  }
}

/** Our error is Fleet's text, or that text with an explanation of ours after a colon. */
function sameError(came: string | undefined, wanted: string | undefined): boolean {
  return came === wanted || (wanted !== undefined && came?.startsWith(`${wanted}: `) === true);
}

function difference(input: object, wanted: object, came: object): string {
  return `${JSON.stringify(input)}\n  wanted ${JSON.stringify(wanted)}\n  came   ${JSON.stringify(came)}`;
}

function read<T>(schema: z.ZodType<T>, value: unknown, place: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new Error(`${place} is no policy case:\n${z.prettifyError(result.error)}`);
}

function parse(line: string, place: string): unknown {
  const value = tryParse(line);
  if (value === undefined) throw new Error(`${place} is not JSON: ${line.slice(0, 80)}`);
  return value;
}

function tryParse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
