import { type Choice, choose, eligible } from '../core/policy/choose.ts';
import type { Candidate } from '../core/policy/explain.ts';
import { oneLine } from '../core/one-line.ts';
import { contentOf, contentOfListed } from './content.ts';
import { creationTimes, type Findings } from './creation-times.ts';
import type { Listing } from './listing.ts';
import type { Worked } from './memory.ts';
import type { ScanTask } from './task.ts';

/** What a policy makes of a list, once it is known which tags are images. */
export type Outcome = (Found | NoneFound) & {
  /** What became of the tags; undefined where that was told before. */
  readonly candidates: readonly Candidate[] | undefined;
  readonly facts: Findings;
};

interface Found {
  readonly kind: 'found';
  readonly tag: string;
  readonly digest: string;
  readonly warning?: string;
}

interface NoneFound {
  readonly kind: 'none';
  readonly reason: 'NoTags' | 'NoMatch' | 'NoImage';
  readonly message: string;
}

/** So many tags are tried that turn out not to be images; who has more beside images can say by `filterTags` what counts. */
const MOST_TRIED = 32;

/**
 * The tag that the policy likes best among those that are images. What a tag is, its manifest tells, which is asked for only when the
 * tag is about to be chosen: charts, signatures and SBOMs of the same repository are passed over for the next.
 *
 * @param list undefined for a policy that follows one tag
 * @throws {RegistryError} also when only one of the questions failed: a choice among the rest could be the wrong one
 */
export async function findImage(task: ScanTask, list: Listing | undefined): Promise<Outcome> {
  const facts = await gatherFacts(task, list);
  const worked = task.memory.recall(task.key, versionOf(task, list, facts));
  const told = <T extends object>(outcome: T) => ({
    ...outcome,
    facts,
    candidates: candidatesOf(task, list, facts, worked),
  });
  for (;;) {
    const choice = (worked.choices[facts.notImages.size] ??= choose(task.selection, tagsOf(list), facts));
    if (choice.kind === 'none') return told(nothing(choice, facts));
    const finding = await inspect(task, choice.tag, list);
    if (finding.kind === 'image') {
      const { tag, digest } = finding;
      return told({
        kind: 'found' as const,
        tag,
        digest,
        ...(choice.warning && { warning: choice.warning }),
      });
    }
    facts.notImages.set(choice.tag, finding.what);
    if (facts.notImages.size === MOST_TRIED) return told(noImage(facts));
  }
}

/** `newest` alone has to know something of all tags before it can compare them. */
async function gatherFacts(task: ScanTask, list: Listing | undefined): Promise<Findings> {
  if (task.selection.policy.kind !== 'newest') return { notImages: new Map() };
  return creationTimes(task, eligible(task.selection, tagsOf(list)));
}

/** Reads them, which takes its time for a long list: not before they are needed. */
function tagsOf(list: Listing | undefined): readonly string[] {
  return list?.tags ?? [];
}

/** Whatever the choices depend on. */
function versionOf(
  { generation }: ScanTask,
  list: Listing | undefined,
  { created, notImages }: Findings,
): string {
  return JSON.stringify([generation, list?.revision, [...(created ?? [])], [...notImages]]);
}

type Finding =
  | { readonly kind: 'image'; readonly tag: string; readonly digest: string }
  | { readonly kind: 'other'; readonly what: string };

/** A tag that was not listed has to be there. */
async function inspect(task: ScanTask, tag: string, list: Listing | undefined): Promise<Finding> {
  const content = await (list === undefined ? contentOf(task, tag) : contentOfListed(task, tag));
  if ('what' in content) return { kind: 'other', what: content.what };
  const { digest, description } = content;
  return description.kind === 'other' ? description : { kind: 'image', tag, digest };
}

function nothing(choice: Extract<Choice, { kind: 'none' }>, facts: Findings): NoneFound {
  return facts.notImages.size > 0 && choice.reason === 'NoMatch' ? noImage(facts) : choice;
}

function noImage({ notImages }: Findings): NoneFound {
  const [[tag, what] = ['', '']] = notImages;
  const message = `of the ${notImages.size} tags that the policy prefers none is an image (${oneLine(tag)} is ${what}); say by filterTags which tags are`;
  return { kind: 'none', reason: 'NoImage', message };
}

/** @returns undefined where the same was told before: a status has it, and ten thousand copies of it would be in memory */
function candidatesOf(
  { selection, explain }: ScanTask,
  list: Listing | undefined,
  facts: Findings,
  worked: Worked,
): readonly Candidate[] | undefined {
  const findings = JSON.stringify([...facts.notImages]);
  if (worked.told === findings) return undefined;
  worked.told = findings;
  return explain(selection, tagsOf(list), facts);
}
