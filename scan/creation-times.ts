import type { Facts } from '../core/policy/choose.ts';
import { contentOfListed } from './content.ts';
import { ScanError } from './failure.ts';
import type { ScanTask } from './task.ts';

/** What was found out about tags before, or while, one was chosen. */
export interface Findings extends Facts {
  /** Those that turned out not to be images, and what they are. */
  readonly notImages: Map<string, string>;
}

/** `newest` asks about each tag at each scan, since a tag may have been pushed again. */
const MOST_TAGS = 500;
const AT_ONCE = 4;

/**
 * When what each tag names was created, and which of them are no images. A tag costs one HEAD; what its digest names is asked for
 * once only.
 *
 * @throws {ScanError} 'TooManyTags'
 * @throws {RegistryError} when one question fails: a choice among the other tags could be the wrong one
 */
export async function creationTimes(task: ScanTask, tags: readonly string[]): Promise<Findings> {
  if (tags.length > MOST_TAGS) {
    throw new ScanError(
      'TooManyTags',
      `newest has to ask about each of ${tags.length} tags, and does so for ${MOST_TAGS} at most: say by filterTags which ones count`,
    );
  }
  const created = new Map<string, number>();
  const notImages = new Map<string, string>();
  const queue = tags.values();
  const worker = async (): Promise<void> => {
    for (const tag of queue) {
      const finding = await lookAt(task, tag);
      if (typeof finding === 'number') created.set(tag, finding);
      else if (finding !== undefined) notImages.set(tag, finding);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return { created, notImages };
}

/** @returns the time in milliseconds since the epoch, undefined when it has none, or what it is where that is no image */
async function lookAt(task: ScanTask, tag: string): Promise<number | string | undefined> {
  const content = await contentOfListed(task, tag);
  if ('what' in content) return content.what;
  const { digest, description } = content;
  if (description.kind === 'other') return description.what;
  return task.registry.created({ ...task.reference, digest }, task.access);
}
