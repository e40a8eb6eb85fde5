import type { Candidate, Explain } from '../core/policy/explain.ts';
import { canonicalName } from '../core/reference.ts';
import { scanKey } from '../core/scan.ts';
import type { Value } from '../core/value.ts';
import type { ImageScan } from '../kube/kinds/image-scan.ts';
import type { RegistryClient } from '../registry/client.ts';
import { findImage, type Outcome } from './find-image.ts';
import { heldBack } from './hold-back.ts';
import { listTags } from './listing.ts';
import type { PullAccess, PullAccessReader } from './pull-access.ts';
import { type Failure, failureOf } from './failure.ts';
import type { ScanMemory } from './memory.ts';
import { readOrder, type ScanOrder, type ScanTask } from './task.ts';

/** What a scan of a registry gave. */
export type ScanResult = Findings & (Selected | Failed);

/** What is known whether or not a value came of it. */
interface Findings {
  /** How many tags the registry has, where it answered with a list of them. */
  readonly tagCount?: number;
  /** The tags around the choice, and what became of each; unset where it was told after an earlier scan. */
  readonly candidates?: readonly Candidate[];
}

interface Selected {
  readonly kind: 'selected';
  readonly value: Value;
  /** The choice keeps to the policy but may not be what was meant. */
  readonly warning?: string;
}

interface Failed extends Failure {
  readonly kind: 'failed';
}

/** What {@link scanImage} asks of the world. */
export interface ScanDependencies {
  readonly registry: RegistryClient;
  readonly pullAccess: PullAccessReader;
  readonly memory: ScanMemory;
  /** How to tell of the candidates: all of them, or the few around the choice. */
  readonly explain: Explain;
  readonly signal: AbortSignal;
}

/**
 * Asks the registry for the tags of an ImageScan's image, finds the one that the policy prefers among those that are images, with the
 * digest that it has now, and holds the value in force where that would lead back behind it.
 *
 * @throws only what is no fault of the scan's: the signal's reason, or a mistake of ours
 */
export async function scanImage(scan: ImageScan, dependencies: ScanDependencies): Promise<ScanResult> {
  const findings: { -readonly [K in keyof Findings]: Findings[K] } = {};
  const notes: string[] = [];
  try {
    const order = readOrder(scan);
    const { notes: told, ...access } = await dependencies.pullAccess(scan, order.reference, {
      maxAgeMs: order.maxAgeMs,
      signal: dependencies.signal,
    });
    notes.push(...told);
    const task = taskOf(scan, order, access, dependencies);
    const list = await listTags(task);
    if (list !== undefined) findings.tagCount = list.count;
    const outcome = await findImage(task, list);
    if (outcome.candidates !== undefined) findings.candidates = outcome.candidates;
    return { ...findings, ...verdict(task, outcome, heldBack(task, outcome, list)) };
  } catch (error) {
    dependencies.signal.throwIfAborted();
    return { ...findings, kind: 'failed', ...failureOf(error, notes) };
  }
}

function taskOf(
  { group, metadata, status }: ImageScan,
  order: ScanOrder,
  access: Omit<PullAccess, 'notes'>,
  { registry, memory, explain, signal }: ScanDependencies,
): ScanTask {
  const isSameImage = status.canonicalImageName === canonicalName(order.reference);
  return {
    ...order,
    key: scanKey({ ...metadata, group }),
    generation: metadata.generation,
    registry,
    memory,
    explain,
    access: { ...access, maxAgeMs: order.maxAgeMs, signal },
    ...(isSameImage && status.tagCount !== undefined && { formerTagCount: status.tagCount }),
  };
}

function verdict({ reference }: ScanTask, outcome: Outcome, held: Failure | undefined): Selected | Failed {
  if (held !== undefined) return { kind: 'failed', ...held };
  if (outcome.kind === 'none') return { kind: 'failed', reason: outcome.reason, message: outcome.message };
  const { tag, digest, warning } = outcome;
  const value = { name: reference.name, canonicalName: canonicalName(reference), tag, digest };
  return { kind: 'selected', value, ...(warning !== undefined && { warning }) };
}
