import { choose } from '../core/policy/choose.ts';
import type { Outcome } from './find-image.ts';
import type { Listing } from './listing.ts';
import type { InForce, ScanTask } from './task.ts';

/** Why the value in force stays though the registry has another one to offer. */
export interface HeldBack {
  readonly reason: 'TagGone' | 'TagReplaced' | 'TagMovedBack';
  /** What is so, and what a person can do. */
  readonly message: string;
}

/**
 * Would the outcome of a scan lead back behind what is in force? A tag that was deleted, replaced by something else, or moved to what it
 * named before is no reason for that; a change of the spec, which a person makes, is.
 *
 * @returns undefined when it leads forward, or there is nothing to go back from
 */
export function heldBack(task: ScanTask, outcome: Outcome, list: Listing | undefined): HeldBack | undefined {
  const { inForce } = task;
  if (inForce === undefined || list?.count === 0) return undefined;
  if (outcome.kind === 'found' && outcome.tag === inForce.tag) return movedBack(inForce, outcome.digest);
  if (!isPreferred(task, inForce, outcome)) return undefined;
  const other = outcome.facts.notImages.get(inForce.tag);
  return other === undefined ? gone(inForce) : replaced(inForce, other);
}

function movedBack({ tag, digest, formerDigests }: InForce, found: string): HeldBack | undefined {
  if (!formerDigests.has(found)) return undefined;
  const message = `${tag} names ${short(found)} again, which it did before ${short(digest)} came into force; push anew, or change the spec to go back`;
  return { reason: 'TagMovedBack', message };
}

/** Would the policy choose the tag in force if it were there? Between equals the one that is there wins. */
function isPreferred({ selection }: ScanTask, { tag, since }: InForce, outcome: Outcome): boolean {
  const tags = outcome.kind === 'found' ? [outcome.tag, tag] : [tag];
  // It was created before it came into force, so whatever was created later is newer for sure.
  const created = new Map([[tag, since], ...(outcome.facts.created ?? [])]);
  const choice = choose(selection, tags, { created });
  return choice.kind === 'chosen' && choice.tag === tag;
}

function gone({ tag }: InForce): HeldBack {
  const message = `${tag} is in force but gone from the registry, which has nothing newer; push it again, or change the spec to go back`;
  return { reason: 'TagGone', message };
}

function replaced({ tag }: InForce, what: string): HeldBack {
  const message = `${tag} is in force but is now ${what}, and the registry has nothing newer; push the image again, or change the spec to go back`;
  return { reason: 'TagReplaced', message };
}

function short(digest: string): string {
  return digest.slice(0, 19);
}
