import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { z } from 'zod';
import { giveBack, type MetadataChange, OWN_SHARD, SHARD_LABEL } from '../../core/fleet-shard.ts';
import { Backoff } from '../../kube/backoff.ts';
import type { KubeClient } from '../../kube/client.ts';
import { ApiError } from '../../kube/errors.ts';
import { objectMeta, type ObjectMeta } from '../../kube/kinds/common.ts';
import { listAll, understood } from '../../kube/list.ts';
import { FLEET_IMAGE_SCANS } from '../../kube/resource.ts';
import type { Metrics } from '../metrics.ts';
import { relabel, RELABEL_CONCURRENCY, RELABEL_PAUSE_MS } from './relabel.ts';

/** What {@link takeLabelsBack} works with. */
export interface TakeBackDependencies {
  readonly client: KubeClient;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** The longest pause after a failure: whoever has no Fleet and gave no rights is not told more often. */
const LONGEST_PAUSE_MS = 600_000;

const imageScan = z.object({ metadata: objectMeta });

/** An ImageScan that bears our label, and how it is taken back. */
interface LabelledScan {
  readonly metadata: ObjectMeta;
  readonly change: MetadataChange;
}

/**
 * Takes our shard label off all ImageScans of Fleet's, as an earlier take-over left them, and gives back the one that was there
 * before. It lists them until none has it: an API server may send an ImageScan to the webhook for a moment after the rule is gone.
 * Then it ends, at once where the cluster has no such kind; failures are logged and tried again after a growing pause.
 */
export async function takeLabelsBack(dependencies: TakeBackDependencies, signal: AbortSignal): Promise<void> {
  const { client, log } = dependencies;
  const backoff = new Backoff(RELABEL_PAUSE_MS, LONGEST_PAUSE_MS);
  while (!signal.aborted) {
    let pauseMs = RELABEL_PAUSE_MS;
    try {
      const labelled = await listLabelled(client, signal);
      if (labelled.length === 0) return;
      await takeBackAll(dependencies, labelled, signal);
      backoff.reset();
    } catch (error) {
      if (signal.aborted || isAbsent(error)) return;
      pauseMs = backoff.next();
      log.warn(
        { err: error, delayMs: pauseMs },
        "the shard label could not be taken off Fleet's ImageScans; it is tried again",
      );
    }
    await delay(pauseMs, undefined, { signal }).catch(() => undefined);
  }
}

async function listLabelled(client: KubeClient, signal: AbortSignal): Promise<LabelledScan[]> {
  const path = { resource: FLEET_IMAGE_SCANS };
  const labelSelector = `${SHARD_LABEL}=${OWN_SHARD}`;
  return (await listAll(client, path, { labelSelector, project: labelledScan, signal })).items;
}

function labelledScan(raw: unknown): LabelledScan | undefined {
  const { metadata } = understood(imageScan, raw, 'ImageScan');
  const change = giveBack(metadata);
  return change && { metadata, change };
}

/** @throws the first failure, once all were tried */
async function takeBackAll(
  { client, metrics, log }: TakeBackDependencies,
  labelled: readonly LabelledScan[],
  signal: AbortSignal,
): Promise<void> {
  const rest = labelled.values();
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (const { metadata, change } of rest) {
      const { namespace, name } = metadata;
      try {
        if (!(await relabel(client, metadata, change, signal))) continue;
        metrics.relabelled('given_back');
        log.info(
          { scan: `${namespace}/${name}`, labels: change.labels },
          "the shard of an ImageScan of Fleet's was changed",
        );
      } catch (error) {
        if (signal.aborted) return;
        metrics.relabelled('failed');
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: RELABEL_CONCURRENCY }, worker));
  if (failures.length > 0) throw failures[0];
}

function isAbsent(error: unknown): boolean {
  return error instanceof ApiError && error.code === 'NotFound';
}
