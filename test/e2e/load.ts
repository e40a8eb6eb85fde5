import type { KubeClient } from '../../kube/client.ts';
import { messageOf } from '../../core/errors.ts';
import { PODS } from '../../kube/resource.ts';
import { IMAGE } from './admission.ts';
import { pod } from './following.ts';

/** What came of a load. */
export interface LoadResult {
  /** How many pods were asked for. */
  readonly asked: number;
  /** What the API server said of those that it did not create. */
  readonly failures: readonly string[];
}

/** How many pods are asked for in a second, whatever the answers take. */
const RATE = 20;

/** Creates pods with the marker `web` and the image {@link IMAGE}`:manifest`, {@link RATE} a second, for as long as `work` takes. */
export async function underLoad(
  client: KubeClient,
  namespace: string,
  work: () => Promise<void>,
): Promise<LoadResult> {
  const begun = performance.now();
  const calls: Promise<void>[] = [];
  const failures: string[] = [];
  const create = async (name: string): Promise<void> => {
    try {
      const object = pod(name, { image: `${IMAGE}:manifest`, marker: 'web' });
      await client.create({ resource: PODS, namespace }, object);
    } catch (error) {
      failures.push(messageOf(error));
    }
  };
  const timer = setInterval(() => {
    // A timer that comes late is made up for.
    const due = ((performance.now() - begun) / 1000) * RATE;
    while (calls.length < due) calls.push(create(`load-${calls.length}`));
  }, 1000 / RATE);
  try {
    await work();
  } finally {
    clearInterval(timer);
    await Promise.all(calls);
  }
  return { asked: calls.length, failures };
}
