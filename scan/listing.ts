import type { TagList } from '../registry/tags.ts';
import { RegistryError } from '../registry/errors.ts';
import type { ScanTask } from './task.ts';

/** The tags to choose from. */
export interface Listing extends TagList {
  readonly count: number;
}

/** A list that is shorter than this share of the former one is asked for once more before it counts. */
const SHRUNK = 0.9;

/**
 * The tags of a task's image. A list that has lost many of its tags counts only when it comes twice (Docker Hub is known to
 * serve stale pages), and the tag in force only counts as gone when the registry says so of the tag itself: some lists miss tags. A list
 * that is the same as the last time is not read.
 *
 * @returns undefined for a policy that follows one tag, which needs no list
 * @throws {RegistryError}
 */
export async function listTags(task: ScanTask): Promise<Listing | undefined> {
  if (task.selection.policy.kind === 'digest') return undefined;
  const { registry, reference, access, memory, key, inForce } = task;
  const list = await registry.listTags(reference, access);
  const known = memory.list(key);
  const isKnown = known?.revision === list.revision && known.holds === inForce?.tag;
  if (isKnown) return new LazyListing(list, known.count);
  const confirmed = await confirm(task, list);
  const { tags, revision } = confirmed;
  if (inForce === undefined || tags.includes(inForce.tag)) {
    memory.rememberList(key, { revision, count: tags.length, holds: inForce?.tag });
    return new LazyListing(confirmed, tags.length);
  }
  if (tags.length === 0 || !(await exists(task, inForce.tag))) return new LazyListing(confirmed, tags.length);
  return { tags: [...tags, inForce.tag], count: tags.length + 1, revision: `${revision}+${inForce.tag}` };
}

/** Reads the tags when somebody wants them. */
class LazyListing implements Listing {
  readonly count: number;
  readonly #list: TagList;

  constructor(list: TagList, count: number) {
    this.#list = list;
    this.count = count;
  }

  get revision(): string {
    return this.#list.revision;
  }

  get tags(): readonly string[] {
    return this.#list.tags;
  }
}

async function confirm(task: ScanTask, list: TagList): Promise<TagList> {
  const { registry, reference, access, formerTagCount = 0 } = task;
  const hasShrunk = ({ tags }: TagList): boolean => tags.length < formerTagCount * SHRUNK;
  if (!hasShrunk(list)) return list;
  const again = await registry.listTags(reference, { ...access, maxAgeMs: 0 });
  if (!hasShrunk(again) || again.revision === list.revision) return again;
  throw new RegistryError(
    'InvalidAnswer',
    `${reference.registry} lists ${list.tags.length} and then ${again.tags.length} tags of ${reference.repository}, where it had ${formerTagCount}: nothing is chosen until it gives the same list twice`,
  );
}

async function exists({ registry, reference, access }: ScanTask, tag: string): Promise<boolean> {
  try {
    await registry.resolve({ ...reference, tag }, access);
    return true;
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'NotFound') return false;
    throw error;
  }
}
