import type { Dialect } from './registry-dialect.ts';

/** A part of a list of tags. */
export interface Page {
  readonly page: readonly string[];
  /** The query of the page after it; undefined when it is the last. */
  readonly next: string | undefined;
}

/** The page that a query asks for, no longer than it wants and the dialect gives. */
export function pageOf(
  { pageSize, cursor }: Pick<Dialect, 'pageSize' | 'cursor'>,
  tags: readonly string[],
  query: URLSearchParams,
): Page {
  const asked = query.get('n');
  const named = query.get(cursor);
  const last = named !== null && cursor === 'next_page' ? unseal(named) : named;
  const start = last === null ? 0 : tags.indexOf(last) + 1;
  const page = tags.slice(start, start + Math.min(Number(asked ?? pageSize), pageSize));
  const end = page.at(-1);
  if (end === undefined || start + page.length >= tags.length) return { page, next: undefined };
  const next = new URLSearchParams({
    ...(asked !== null && { n: asked }),
    [cursor]: cursor === 'next_page' ? seal(end) : end,
  });
  return { page, next: next.toString() };
}

/** A word that says nothing to who reads it, and has characters that a URL has to escape. */
function seal(tag: string): string {
  return `${Buffer.from(tag).toString('base64')}==`;
}

function unseal(word: string): string {
  return Buffer.from(word, 'base64').toString();
}
