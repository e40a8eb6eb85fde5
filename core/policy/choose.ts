import { oneLine } from '../one-line.ts';
import { noMatch } from './no-match.ts';
import { checkCost, passed } from './pass.ts';
import { type Facts, type Ranking, rankingOf } from './ranking.ts';
import type { Selection } from './selection.ts';
import { partialVersionWarning } from './semver.ts';

export type { Facts } from './ranking.ts';

/** What a policy makes of a list of tags. */
export type Choice =
  | {
      readonly kind: 'chosen';
      readonly tag: string;
      /** For a person: the choice keeps to the policy but may not be what was meant. */
      readonly warning?: string;
    }
  | { readonly kind: 'none'; readonly reason: 'NoTags' | 'NoMatch'; readonly message: string };

/**
 * Chooses one tag. The order of the tags matters between equals only: the first of them wins (`1.2` and `v1.2.0` are equal), but with
 * `newest`, which has an order of its own for them. The messages begin as Fleet's.
 *
 * @param tags in the order of the registry; not read by a policy that follows one tag
 * @throws {PolicyError} 'PatternTooCostly'
 */
export function choose(selection: Selection, tags: readonly string[], facts: Facts = {}): Choice {
  const { policy } = selection;
  const list = policy.kind === 'digest' ? [policy.tag] : tags;
  checkCost(selection, list);
  if (list.length === 0) return { kind: 'none', reason: 'NoTags', message: 'no tag found' };
  const tag = best(selection, rankingOf(policy, facts), list, facts);
  if (tag === undefined) return { kind: 'none', reason: 'NoMatch', message: noMatch(selection, list) };
  const warning = warningFor(selection, tag, list, facts);
  return { kind: 'chosen', tag, ...(warning !== undefined && { warning }) };
}

/**
 * The tags whose creation time `newest` has to know: those that names and filters let through.
 *
 * @throws {PolicyError} 'PatternTooCostly'
 */
export function eligible(selection: Selection, tags: readonly string[]): string[] {
  checkCost(selection, tags);
  return tags.filter((tag) => passed(selection, tag) !== undefined);
}

function best<Value>(
  selection: Selection,
  ranking: Ranking<Value>,
  tags: readonly string[],
  { notImages }: Facts,
): string | undefined {
  let winner: { readonly tag: string; readonly value: Value } | undefined;
  for (const tag of tags) {
    const text = passed(selection, tag);
    const value = text === undefined ? undefined : ranking.read(text, tag);
    if (value === undefined || (winner !== undefined && ranking.compare(value, winner.value) <= 0)) continue;
    if (ranking.admits(value) && !notImages?.has(tag)) winner = { tag, value };
  }
  return winner?.tag;
}

function warningFor(
  selection: Selection,
  tag: string,
  tags: readonly string[],
  facts: Facts,
): string | undefined {
  const { policy } = selection;
  if (policy.kind === 'semver') return partialVersionWarning(selection, policy, tag, tags, facts);
  return policy.kind === 'newest' ? tieWarning(selection, tag, tags, facts) : undefined;
}

function tieWarning(
  selection: Selection,
  tag: string,
  tags: readonly string[],
  { created, notImages }: Facts,
): string | undefined {
  const isTie = (other: string): boolean =>
    other !== tag &&
    created?.get(other) === created?.get(tag) &&
    notImages?.has(other) !== true &&
    passed(selection, other) !== undefined;
  const ties = [...new Set(tags.filter(isTie))];
  return ties.length === 0 ? undefined : `${oneLine(tag)} was created at the same time as ${someOf(ties)}`;
}

function someOf(tags: readonly string[]): string {
  const more = tags.length > 3 ? ` and ${tags.length - 3} more` : '';
  return `${tags
    .slice(0, 3)
    .map((tag) => oneLine(tag))
    .join(', ')}${more}`;
}
