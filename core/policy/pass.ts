import type { Refusal } from './ranking.ts';
import type { Selection } from './selection.ts';

/** What the policy gets to read of a tag: what the filter extracts, or the tag itself; undefined where it does not get to see it. */
export function passed({ artifactOf, exclude, filter }: Selection, tag: string): string | undefined {
  if (artifactOf?.(tag) !== undefined) return undefined;
  if (exclude.some((pattern) => pattern.test(tag))) return undefined;
  if (filter === undefined) return tag;
  if (filter.extract === undefined) return filter.pattern.test(tag) ? tag : undefined;
  return filter.pattern.expand(tag, filter.extract) || undefined;
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
