import type { Refusal } from './ranking.ts';
import { PolicyError, type Selection } from './selection.ts';

/**
 * Instructions times characters. What is used daily has 20 to 80 instructions, which is enough for 50,000 tags of 56 characters, such as
 * `main-<commit>-<time>`. Measured are 1 to 20 ns a step, and 61 where each character makes a new state of the automaton: twelve seconds at
 * the worst. A Lease of 15 s that is renewed every 5 s outlives ten; past that another replica leads, and nothing is lost.
 */
const MOST_STEPS = 200_000_000;

/**
 * Makes sure that a list can be gone through in a time that nobody else notices: the patterns are linear in the length of the text, but
 * the factor is in the hands of whoever writes them.
 *
 * @throws {PolicyError} 'PatternTooCostly'
 */
export function checkCost({ exclude, filter }: Selection, tags: readonly string[]): void {
  const patterns = [...(filter ? [filter.pattern] : []), ...exclude];
  if (patterns.length === 0) return;
  const characters = tags.reduce((sum, tag) => sum + tag.length, 0);
  const size = patterns.reduce((sum, pattern) => sum + pattern.size, 0);
  if (characters * size <= MOST_STEPS) return;
  throw new PolicyError(
    'PatternTooCostly',
    `filterTags.pattern and exclude come to ${size} instructions, too many for ${tags.length} tags: repetitions such as {1000} count as often as they say`,
  );
}

/** What there is for a policy to read of a tag: what the filter extracts, or the tag itself; undefined where there is nothing. */
export function readable({ artifactOf, filter }: Selection, tag: string): string | undefined {
  if (artifactOf?.(tag) !== undefined) return undefined;
  return filter?.extract === undefined ? tag : filter.pattern.expand(tag, filter.extract) || undefined;
}

/** Whether a tag that is {@link readable} is left out all the same: a question for the few that would win. */
export function isLeftOut({ exclude, filter }: Selection, tag: string): boolean {
  const isUnmatched = filter !== undefined && filter.extract === undefined && !filter.pattern.test(tag);
  return isUnmatched || exclude.some((pattern) => pattern.test(tag));
}

/** What the policy reads of a tag that names and filters let through; undefined for any other. */
export function passed(selection: Selection, tag: string): string | undefined {
  return isLeftOut(selection, tag) ? undefined : readable(selection, tag);
}

/** Why {@link passed} gives nothing for a tag. */
export function whyNotPassed({ artifactOf, exclude, filter }: Selection, tag: string): Refusal {
  const artifact = artifactOf?.(tag);
  if (artifact !== undefined) return { verdict: 'ArtifactTag', message: `by its name ${artifact}` };
  const index = exclude.findIndex((pattern) => pattern.test(tag));
  if (index >= 0) return { verdict: 'Excluded', message: `exclude[${index}] matches` };
  const isMatch = filter?.pattern.test(tag) === true;
  const message = isMatch ? 'filterTags.extract leaves nothing of it' : 'filterTags.pattern does not match';
  return { verdict: 'NotMatched', message };
}
