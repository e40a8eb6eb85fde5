import { oneLine } from '../one-line.ts';
import { passed, whyNotPassed } from './pass.ts';
import type { RefusalVerdict } from './ranking.ts';
import type { Policy, Selection } from './selection.ts';

/**
 * What to say where none of the tags may be chosen: Fleet's words where it has some, and after a colon what kept tags from the policy. A
 * pattern that lets nothing through is the first thing to look at.
 */
export function noMatch(selection: Selection, tags: readonly string[]): string {
  const { policy } = selection;
  const reason = policy.kind === 'digest' ? whyNotFollowed(selection, policy.tag) : leftOut(selection, tags);
  return reason === undefined ? nothingFor(policy) : `${nothingFor(policy)}: ${reason}`;
}

function nothingFor(policy: Policy): string {
  switch (policy.kind) {
    case 'semver':
      return `no available version matching ${policy.range.text}`;
    case 'numerical':
      return 'no tag is a number that may be chosen';
    case 'newest':
      return 'no tag may be chosen that says when it was created';
    case 'digest':
      return `${oneLine(policy.tag)} may not be chosen`;
    case 'alphabetical':
      return 'no tag may be chosen';
  }
}

function whyNotFollowed(selection: Selection, tag: string): string | undefined {
  return passed(selection, tag) === undefined ? whyNotPassed(selection, tag).message : undefined;
}

const CAUSES: Partial<Readonly<Record<RefusalVerdict, string>>> = {
  NotMatched: 'filterTags',
  Excluded: 'exclude',
  ArtifactTag: 'the rule for artifact tags',
};

function leftOut(selection: Selection, tags: readonly string[]): string | undefined {
  const out = tags.filter((tag) => passed(selection, tag) === undefined);
  if (out.length === 0) return undefined;
  const verdicts = new Set(out.map((tag) => whyNotPassed(selection, tag).verdict));
  const causes = Object.entries(CAUSES).flatMap(([verdict, cause]) =>
    verdicts.has(verdict as RefusalVerdict) ? [cause] : [],
  );
  return `${causes.join(' and ')} leave${causes.length === 1 ? 's' : ''} ${tags.length - out.length} of ${tags.length} tags`;
}
