import * as fc from 'fast-check';

/**
 * A second reading of ranges, for comparison: a world of 192 versions, numbered in their order, in which every comparator is
 * a stretch of numbers. It shares nothing with the code under test, neither the parser nor the comparison.
 */

const NUMBERS = 4;
const STAGES = ['alpha', 'rc', ''] as const;
const RELEASE = 2;
const END = NUMBERS ** 3 * STAGES.length;

/** One comparator: the numbers that are written (0 to 3 of them) and the stage of its version. */
export interface Comparator {
  readonly operator: '=' | '!=' | '>' | '<' | '>=' | '<=' | '~' | '^' | '-';
  readonly numbers: readonly number[];
  readonly stage: number;
  /** The end of a hyphen range. */
  readonly to: readonly number[];
}

const numbers = fc.array(fc.nat(NUMBERS - 1), { maxLength: 3 });
export const comparator: fc.Arbitrary<Comparator> = fc.record({
  operator: fc.constantFrom('=', '!=', '>', '<', '>=', '<=', '~', '^', '-'),
  numbers,
  stage: fc.oneof({ weight: 2, arbitrary: fc.constant(RELEASE) }, fc.nat(RELEASE)),
  to: numbers,
});

/** Writes groups of comparators down as a range, choosing among the spellings by `pick`. */
export function written(groups: readonly (readonly Comparator[])[], pick: () => number): string {
  const oneOf = (...texts: string[]) => texts[pick() % texts.length] ?? '';
  const space = () => oneOf('', '', ' ', '  ', '\t');
  const bound = (given: readonly number[], stage: number) => {
    const open = oneOf('', '.x', '.X', '.*').repeat(3 - given.length);
    const text = given.length === 0 ? oneOf('x', 'X', '*', '*.*', 'x.1.2') : given.join('.') + open;
    return (
      oneOf('', 'v') + text + (stage === RELEASE ? '' : `-${STAGES[stage]}`) + oneOf('', '', '', '+build.1')
    );
  };
  const spellings = { '=': ['', '='], '>=': ['>=', '=>'], '<=': ['<=', '=<'], '~': ['~', '~>'] };
  const one = ({ operator, numbers, stage, to }: Comparator) => {
    if (operator === '-') return `${bound(numbers, stage)} ${space()}- ${space()}${bound(to, RELEASE)}`;
    const operators = operator in spellings ? spellings[operator as keyof typeof spellings] : [operator];
    return oneOf(...operators) + space() + bound(numbers, stage);
  };
  // A hyphen range takes space and bars before it for its own: only a comma, or bars with a space, set it apart.
  const join = (text: string, next: Comparator) =>
    text + oneOf(next.operator === '-' ? ',' : ' ', ', ', ' , ') + one(next);
  const and = ([first, ...others]: readonly Comparator[]) =>
    others.reduce(join, first === undefined ? '' : one(first));
  return groups.map((group) => space() + and(group) + space()).join(' || ');
}

/** Every version of the world, and whether the groups allow it. */
export function* model(
  groups: readonly (readonly Comparator[])[],
): Generator<{ version: string; allowed: boolean }> {
  for (let place = 0; place < END; place++) {
    yield { version: nameOf(place), allowed: groups.some((group) => allowed(group, place)) };
  }
}

function allowed(group: readonly Comparator[], place: number): boolean {
  const prereleases = group.some(({ stage }) => stage !== RELEASE);
  if (place % STAGES.length !== RELEASE && !prereleases) return false;
  return group.every((one) => allowedBy(one, place));
}

function allowedBy({ operator, numbers, stage, to }: Comparator, place: number): boolean {
  const given = numbers.length;
  const low = placeOf(numbers) + stage;
  const partial = given === 1 || given === 2;
  switch (operator) {
    case '>=':
      return place >= low;
    case '<':
      return place < low;
    case '>':
      return partial ? place >= after(numbers, given) : place > low;
    case '<=':
      return upTo(numbers, stage, place);
    case '-':
      return place >= low && upTo(to, RELEASE, place);
    case '=':
      return given === 3 ? place === low : place >= low && place < after(numbers, given);
    case '~': {
      const nought = given === 3 && numbers.every((number) => number === 0);
      return place >= low && place < after(numbers, nought ? 0 : Math.min(given, 2));
    }
    case '^': {
      const leading = numbers.findIndex((number) => number > 0) + 1 || given || 3;
      return place >= low && place < after(numbers, leading);
    }
    case '!=':
      if (!partial) return place !== low;
      if (place < placeOf(numbers) || place >= after(numbers, given)) return true;
      return given === 2 && place % STAGES.length !== stage;
    default:
      return operator satisfies never;
  }
}

function upTo(numbers: readonly number[], stage: number, place: number): boolean {
  if (numbers.length === 3) return place <= placeOf(numbers) + stage;
  return place < after(numbers, numbers.length || 2);
}

/** The place of the first version that has these numbers: its earliest pre-release. */
function placeOf(numbers: readonly number[]): number {
  const [major = 0, minor = 0, patch = 0] = numbers;
  return ((major * NUMBERS + minor) * NUMBERS + patch) * STAGES.length;
}

/** The place behind the last version that shares the first `count` numbers. */
function after(numbers: readonly number[], count: number): number {
  const width = NUMBERS ** (3 - count) * STAGES.length;
  return Math.floor(placeOf(numbers) / width) * width + width;
}

function nameOf(place: number): string {
  const stage = STAGES[place % STAGES.length];
  const rank = Math.floor(place / STAGES.length);
  const core = [Math.floor(rank / NUMBERS ** 2), Math.floor(rank / NUMBERS) % NUMBERS, rank % NUMBERS].join(
    '.',
  );
  return stage === '' ? core : `${core}-${stage}`;
}
