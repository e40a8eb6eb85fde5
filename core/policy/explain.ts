import { oneLine } from '../one-line.ts';
import { checkCost, isLeftOut, readable, whyNotPassed } from './pass.ts';
import { type Facts, type Ranking, rankingOf, type Refusal, type RefusalVerdict } from './ranking.ts';
import type { Selection } from './selection.ts';

/** As the distribution specification has it. */
const LONGEST_TAG = 128;
const LONGEST_MESSAGE = 256;

/** What became of a tag, in a word that a program can switch on. */
export type Verdict = 'Chosen' | 'Lower' | RefusalVerdict;

/** A tag that was considered, and what became of it. */
export interface Candidate {
  readonly tag: string;
  readonly verdict: Verdict;
  /** Why, in a few words. */
  readonly message: string;
}

/** A way to tell of candidates: all of them by {@link explain}, or a few by {@link around}. */
export type Explain = (selection: Selection, tags: readonly string[], facts?: Facts) => Candidate[];

/**
 * What a policy makes of each tag: first the one that `choose` gives, then the others that may be chosen, the best first; then those that
 * are refused: the ones that would have won, the nearest first, then the rest in the order of the list.
 *
 * @throws {PolicyError} 'PatternTooCostly'
 */
export const explain: Explain = (selection, tags, facts = {}) => {
  const { chosen, lower, wouldWin, rest } = places(selection, tags, facts);
  return [...chosen, ...lower, ...wouldWin, ...rest].map((tell) => tell());
};

/** The few of {@link explain} that tell the most: the chosen one, the next three, and four refused ones that would have won. */
export const around: Explain = (selection, tags, facts = {}) => {
  const { chosen, lower, wouldWin, rest } = places(selection, tags, facts);
  const refused = chosen.length > 0 ? wouldWin : [...wouldWin, ...rest];
  return [...chosen, ...lower.slice(0, 3), ...refused.slice(0, 4)].map((tell) => short(tell()));
};

/** What a registry lists may be anything, and what is stored has bounds. */
function short({ tag, verdict, message }: Candidate): Candidate {
  return { tag: oneLine(tag, LONGEST_TAG), verdict, message: oneLine(message, LONGEST_MESSAGE) };
}

/** Puts a candidate into words once it is wanted: of thousands, status tells a few. */
type Tell = () => Candidate;

interface Considered<Value> {
  readonly tag: string;
  /** What the policy reads of the tag, also of one that is refused for another reason. */
  readonly value: Value | undefined;
  /** Why it may not be chosen; undefined where it may. */
  readonly refusal: (() => Refusal) | undefined;
}

function places(selection: Selection, tags: readonly string[], facts: Facts) {
  const { policy } = selection;
  const list = [...new Set(policy.kind === 'digest' ? [policy.tag, ...tags] : tags)];
  checkCost(selection, list);
  const ranking = rankingOf(policy, facts);
  return place(
    list.map((tag) => consider(selection, ranking, tag, facts)),
    ranking,
  );
}

function consider<Value>(
  selection: Selection,
  ranking: Ranking<Value>,
  tag: string,
  { notImages }: Facts,
): Considered<Value> {
  const text = readable(selection, tag);
  const value = text === undefined ? undefined : ranking.read(text, tag);
  if (text === undefined || isLeftOut(selection, tag))
    return { tag, value, refusal: () => whyNotPassed(selection, tag) };
  if (value === undefined || !ranking.admits(value))
    return { tag, value, refusal: () => ranking.refusal(text, tag, value) };
  const what = notImages?.get(tag);
  if (what !== undefined)
    return { tag, value, refusal: () => ({ verdict: 'NotImage', message: `is ${what}` }) };
  return { tag, value, refusal: undefined };
}

function place<Value>(considered: readonly Considered<Value>[], ranking: Ranking<Value>) {
  const best = (a: Considered<Value>, b: Considered<Value>): number => order(ranking, b, a);
  const nearest = (a: Considered<Value>, b: Considered<Value>): number => order(ranking, a, b);
  // Sorting is stable: of equals the first in the list stays the first.
  const allowed = considered.filter((one) => one.refusal === undefined).toSorted(best);
  const winner = allowed[0];
  const first = winner === undefined ? -1 : considered.indexOf(winner);
  const isAbove = (one: Considered<Value>, index: number): boolean =>
    one.value !== undefined && (winner === undefined || (order(ranking, one, winner) || first - index) > 0);
  const refused = (above: boolean): Considered<Value>[] =>
    considered.filter((one, index) => one.refusal !== undefined && isAbove(one, index) === above);
  const tell = (one: Considered<Value>): Tell => {
    return () => ({ tag: one.tag, ...(one.refusal?.() ?? success(one, winner ?? one, ranking)) });
  };
  return {
    chosen: allowed.slice(0, 1).map(tell),
    lower: allowed.slice(1).map(tell),
    wouldWin: refused(true)
      .toSorted(winner === undefined ? best : nearest)
      .map(tell),
    rest: refused(false).map(tell),
  };
}

/** Positive when the policy prefers `a`; 0 also where it cannot compare the two. */
function order<Value>(ranking: Ranking<Value>, a: Considered<Value>, b: Considered<Value>): number {
  return a.value === undefined || b.value === undefined ? 0 : ranking.compare(a.value, b.value);
}

/** What to say of a tag that may be chosen. */
function success<Value>(
  one: Considered<Value>,
  winner: Considered<Value>,
  ranking: Ranking<Value>,
): Omit<Candidate, 'tag'> {
  if (one === winner) return { verdict: 'Chosen', message: ranking.praise };
  const name = oneLine(winner.tag);
  const isEqual = order(ranking, one, winner) === 0;
  const message = isEqual ? `equal to ${name}, which comes first` : `${name} is preferred`;
  return { verdict: 'Lower', message };
}
