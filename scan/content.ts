import type { Description } from '../registry/description.ts';
import { RegistryError } from '../registry/errors.ts';
import type { ScanTask } from './task.ts';

/** What a tag names. */
export interface Content {
  readonly digest: string;
  readonly description: Description;
}

// The distribution specification's grammar. What does not follow it must not reach a manifest either.
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;

/**
 * Finds out what a listed tag names. A tag that leads nowhere is told as something else than an image: some registries go on listing a tag whose
 * manifest was deleted.
 *
 * @throws {RegistryError}
 */
export async function contentOfListed(
  task: ScanTask,
  tag: string,
): Promise<Content | { readonly what: string }> {
  if (!TAG.test(tag)) return { what: 'no tag that could be pulled' };
  try {
    return await contentOf(task, tag);
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'NotFound')
      return { what: 'a tag without a manifest' };
    throw error;
  }
}

/**
 * Finds out what a tag names.
 *
 * @throws {RegistryError}
 */
export async function contentOf(task: ScanTask, tag: string): Promise<Content> {
  const { registry, reference, access, inForce } = task;
  const { digest } = await registry.resolve({ ...reference, tag }, access);
  // It was an image when it came into force, and a digest never names anything else.
  if (digest === inForce?.digest) return { digest, description: { kind: 'image' } };
  try {
    return await described(task, digest);
  } catch (error) {
    if (!isOfAnother(error)) throw error;
    const { digest: own } = await registry.resolveByContent({ ...reference, tag }, access);
    if (own === digest) throw error;
    return described(task, own);
  }
}

async function described({ registry, reference, access }: ScanTask, digest: string): Promise<Content> {
  return { digest, description: await registry.describe({ ...reference, digest }, access) };
}

/** Some registries tell a digest in their headers under which they have nothing, or something else. */
function isOfAnother(error: unknown): boolean {
  return error instanceof RegistryError && (error.code === 'NotFound' || error.code === 'InvalidAnswer');
}
