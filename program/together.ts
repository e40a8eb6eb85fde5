/**
 * Runs tasks that each go on until their signal aborts. When one ends in an error the others are aborted, so that nothing
 * runs on by half.
 *
 * @throws the first error, once all have ended
 */
export async function together(
  signal: AbortSignal,
  ...tasks: readonly ((signal: AbortSignal) => Promise<void>)[]
): Promise<void> {
  const failed = new AbortController();
  const linked = AbortSignal.any([signal, failed.signal]);
  const failures: unknown[] = [];
  const running = tasks.map(async (task) => {
    try {
      await task(linked);
    } catch (error) {
      failures.push(error);
      failed.abort(error);
    }
  });
  await Promise.all(running);
  if (failures.length > 0) throw failures[0];
}
