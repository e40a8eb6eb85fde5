import { RegistryError } from '../registry/errors.ts';
import type { ScanTask } from './task.ts';

/** The tags to choose from. */
export interface Listing {
  readonly tags: readonly string[];
  /** The same for the same tags. */
  readonly revision: string;
}

/** A list that is shorter than this share of the former one is asked for once more before it counts. */
const SHRUNK = 0.9;

/**
 * The tags of a task's image. A list that has lost many of its tags counts only when it comes twice (Docker Hub is known to
 * serve stale pages), and the tag in force only counts as gone when the registry says so of the tag itself: some lists miss tags.
 *
 * @returns undefined for a policy that follows one tag, which needs no list
 * @throws {RegistryError}
 */
export async function listTags(task: ScanTask): Promise<Listing | undefined> {
  if (task.selection.policy.kind === 'digest') return undefined;
  const { inForce } = task;
  const list = await confirmedList(task);
  if (inForce === undefined || list.tags.length === 0 || list.tags.includes(inForce.tag)) return list;
  if (!(await exists(task, inForce.tag))) return list;
  return { tags: [...list.tags, inForce.tag], revision: `${list.revision}+${inForce.tag}` };
}

async function confirmedList(task: ScanTask): Promise<Listing> {
  const { registry, reference, access, formerTagCount = 0 } = task;
  const list = await registry.listTags(reference, access);
  const hasShrunk = ({ tags }: Listing): boolean => tags.length < formerTagCount * SHRUNK;
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
