/** Requests under way at one time: enough to hide the way to the server, and no burden for it. */
const AT_ONCE = 32;

/** Does work that calls the server for each item, and gives the results in the order of the items. */
export async function someAtOnce<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  while (results.length < items.length) {
    const batch = items.slice(results.length, results.length + AT_ONCE);
    results.push(...(await Promise.all(batch.map(work))));
  }
  return results;
}
