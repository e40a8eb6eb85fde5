import { oneLine } from '../one-line.ts';
import { choose } from './choose.ts';
import { isLeftOut, readable, whyNotPassed } from './pass.ts';
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
  readonly refusal: Refusal | undefined;
}

function places(selection: Selection, tags: readonly string[], facts: Facts) {
  const { policy } = selection;
  const list = new Set(policy.kind === 'digest' ? [policy.tag, ...tags] : tags);
  const choice = choose(selection, tags, facts);
  const ranking = rankingOf(policy, facts);
  const considered = [...list].map((tag) => consider(selection, ranking, tag, facts));
  return place(considered, ranking, choice.kind === 'chosen' ? choice.tag : undefined);
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
    return { tag, value, refusal: whyNotPassed(selection, tag) };
  if (value === undefined || !ranking.admits(value))
    return { tag, value, refusal: ranking.refusal(text, tag, value) };
  const what = notImages?.get(tag);
  return {
    tag,
    value,
    refusal: what === undefined ? undefined : { verdict: 'NotImage', message: `is ${what}` },
  };
}

function place<Value>(
  considered: readonly Considered<Value>[],
  ranking: Ranking<Value>,
  chosen: string | undefined,
) {
  const winner = considered.find(({ tag }) => tag === chosen);
  const order = (a: Considered<Value>, b: Considered<Value>): number =>
    a.value === undefined || b.value === undefined ? 0 : ranking.compare(a.value, b.value);
  const first = winner === undefined ? -1 : considered.indexOf(winner);
  const isAbove = (one: Considered<Value>, index: number): boolean =>
    one.value !== undefined && (winner === undefined || (order(one, winner) || first - index) > 0);
  const lower = considered.filter((one) => one.refusal === undefined && one !== winner);
  const isRefused = (one: Considered<Value>): boolean => one.refusal !== undefined;
  const above = considered.filter((one, index) => isRefused(one) && isAbove(one, index));
  const rest = considered.filter((one, index) => isRefused(one) && !isAbove(one, index));
  return {
    chosen:
      winner === undefined ? [] : [tell(winner, () => ({ verdict: 'Chosen', message: ranking.praise }))],
    lower: lower
      .toSorted((a, b) => order(b, a))
      .map((one) =>
        tell(one, () => notBest(winner?.tag ?? '', winner !== undefined && order(one, winner) === 0)),
      ),
    wouldWin: above.toSorted(winner === undefined ? (a, b) => order(b, a) : order).map((one) => tell(one)),
    rest: rest.map((one) => tell(one)),
  };
}

function tell<Value>(
  { tag, refusal }: Considered<Value>,
  words: () => Omit<Candidate, 'tag'> = () => refusal ?? { verdict: 'Lower', message: '' },
): Tell {
  return () => ({ tag, ...words() });
}

function notBest(winner: string, isEqual: boolean): Omit<Candidate, 'tag'> {
  const name = oneLine(winner);
  return {
    verdict: 'Lower',
    message: isEqual ? `equal to ${name}, which comes first` : `${name} is preferred`,
  };
}
