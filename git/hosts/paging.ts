import type { Page, Query } from './call.ts';
import type { PullRequest } from './host.ts';

const MAX_PAGES = 20;

/** The items of a list in its order, asked for page by page as far as they are wanted; 20 pages at most. */
export async function* itemsOf<T>(
  first: Query,
  pageOf: (query: Query) => Promise<Page<T>>,
): AsyncGenerator<T> {
  let query: Query | undefined = first;
  for (let pages = 0; query !== undefined && pages < MAX_PAGES; pages++) {
    const page: Page<T> = await pageOf(query);
    yield* page.items;
    query = page.next;
  }
}

/** The first request that is open, else the first; undefined when there are none. */
export async function openFirst<T extends PullRequest>(requests: AsyncIterable<T>): Promise<T | undefined> {
  let newest: T | undefined;
  for await (const request of requests) {
    if (request.state === 'Open') return request;
    newest ??= request;
  }
  return newest;
}
