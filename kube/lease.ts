import { setTimeout as delay } from 'node:timers/promises';
import type { KubeClient } from './client.ts';
import { LeaseClaim } from './lease-claim.ts';

export interface LeaseOptions {
  readonly namespace: string;
  readonly name: string;
  /** Who we are; no other process may use the same. A process that finds its own identity in the Lease goes on with it. */
  readonly identity: string;
  /** How long the Lease is ours after a renewal, rounded up to whole seconds. Default 15 s. */
  readonly durationMs?: number;
  /** Time from one renewal to the next. Default 5 s. */
  readonly renewMs?: number;
  /** Time between attempts to take it, and to renew it after a failure. Default 2 s. */
  readonly retryMs?: number;
  readonly signal: AbortSignal;
  readonly onTransition?: (leading: boolean) => void;
  /** Told of calls that failed; they are tried again while there is time. */
  readonly onError?: (error: unknown) => void;
}

/**
 * Runs `work` whenever this process holds the Lease, so that of all that call this at most one works.
 *
 * When the Lease cannot be renewed, the signal of `work` aborts after two thirds of the duration; the last third is for `work`
 * to stop in, before another may begin. It is then contended for again. Ends when the signal aborts or `work` does, and
 * gives the Lease up, so that the next one need not wait for it to expire.
 *
 * @throws what `work` throws, once the Lease is given up
 */
export async function lead(
  client: KubeClient,
  options: LeaseOptions,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const claim = new LeaseClaim(client, options);
  while (await claim.take()) {
    options.onTransition?.(true);
    const end = await workWhileHeld(claim, options.signal, work).finally(() => options.onTransition?.(false));
    if (end === 'finished') return;
    await delay(options.retryMs ?? 2000, undefined, { signal: options.signal }).catch(() => undefined);
  }
}

async function workWhileHeld(
  claim: LeaseClaim,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<'finished' | 'lost'> {
  const lost = new AbortController();
  const finished = new AbortController();
  const stop = AbortSignal.any([signal, lost.signal]);
  const keeping = claim.keep(finished.signal).catch((error: unknown) => lost.abort(error));
  try {
    await work(stop);
  } catch (error) {
    if (!isAbort(error, stop)) throw error;
  } finally {
    finished.abort();
    await keeping;
    if (!lost.signal.aborted) await claim.release();
  }
  return lost.signal.aborted ? 'lost' : 'finished';
}

function isAbort(error: unknown, signal: AbortSignal): boolean {
  return (
    signal.aborted && (error === signal.reason || (error instanceof Error && error.name === 'AbortError'))
  );
}
