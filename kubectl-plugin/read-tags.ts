import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { messageOf } from '../core/errors.ts';
import { UsageError } from './failure.ts';

const list = z.union([z.array(z.string()), z.object({ tags: z.array(z.string()).nullable() })]);

/**
 * Tags from a file, or from standard input for `-`: one a line, or JSON as a registry lists them (`{"tags": […]}`, or the array).
 *
 * @throws {UsageError} when the file cannot be read, or its JSON is no list of tags
 */
export async function readTags(file: string): Promise<string[]> {
  const content = await contentOf(file);
  if (!/^\s*[[{]/.test(content)) {
    return content
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '');
  }
  const parsed = list.safeParse(parseJson(content));
  if (!parsed.success) {
    const wanted = 'one tag a line, or JSON such as {"tags": ["1.0", "1.1"]}';
    throw new UsageError('Usage', `--tags-from: ${file} holds no list of tags: ${wanted}`);
  }
  return Array.isArray(parsed.data) ? parsed.data : (parsed.data.tags ?? []);
}

async function contentOf(file: string): Promise<string> {
  try {
    return file === '-' ? await text(process.stdin) : await readFile(file, 'utf8');
  } catch (error) {
    throw new UsageError('Usage', `--tags-from: ${messageOf(error)}`);
  }
}

function parseJson(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
}
