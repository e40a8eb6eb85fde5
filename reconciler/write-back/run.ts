import type { Logger } from 'pino';
import { type Group, objectKey } from '../../core/group.ts';
import type { EventRecorder } from '../../kube/events.ts';
import { objectRef } from '../../kube/kinds/common.ts';
import { intervalMs } from '../../scan/interval.ts';
import type { Brought, Definitions } from '../definitions/definitions.ts';
import { definitionEvents } from '../definitions/events.ts';
import type { Metrics } from '../metrics.ts';
import { retryDue } from '../schedule.ts';
import type { Written } from '../status-writer.ts';
import type { StoredGitRepo } from '../stores.ts';
import { eventsOf, type WriteBackEvent } from './events.ts';
import type { WriteBackMemory } from './memory.ts';
import type { Outcome } from './result.ts';
import type { Teller } from './tellers.ts';
import { type WriteBackDependencies, writeBack } from './write-back.ts';

/** What {@link runWriteBack} works with. */
export interface RunDependencies
  extends Omit<WriteBackDependencies, 'agreedAt' | 'known' | 'define' | 'signal'> {
  readonly definitions: Pick<Definitions, 'bring'>;
  readonly tellers: Readonly<Record<Group, Pick<Teller, 'tell'>>>;
  readonly events: EventRecorder;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/**
 * Writes back once: makes the ImageScans that the GitRepo's files define, has Git say what it should, remembers what came of it, and tells
 * it in the status, in Events and in the log.
 *
 * @returns the GitRepo before and after it was told; undefined when it is not as it was any more, of which the watch tells
 * @throws {ApiError} when it cannot be told
 */
export async function runWriteBack(
  gitRepo: StoredGitRepo,
  memory: WriteBackMemory,
  dependencies: RunDependencies,
  signal: AbortSignal,
): Promise<Written<StoredGitRepo> | undefined> {
  const { definitions, tellers, metrics } = dependencies;
  // Taken before the values are read: one that changes during the run asks for another.
  const { version, agreedAt, known } = memory;
  const measure = metrics.writeBackStarted();
  let brought: Brought | undefined;
  const result = await writeBack(gitRepo, {
    ...dependencies,
    signal,
    known,
    define: async (source, commit) => {
      brought = await definitions.bring(gitRepo, source, commit, signal);
      if (brought) record(gitRepo, definitionEvents(gitRepo, brought), dependencies);
    },
    ...(agreedAt !== undefined && { agreedAt }),
  });
  measure(result.kind === 'failed' ? result.reason : result.kind);
  const outcome: Outcome = { result, ...(brought && { brought }) };
  remember(memory, gitRepo, outcome, version);
  const written = await tellers[gitRepo.group].tell(gitRepo, outcome, signal);
  memory.told();
  if (written !== undefined) record(written.after, eventsOf(written, result), dependencies);
  return written;
}

/** Has a GitRepo wait for its next try, as after a run in which something went wrong. */
export function rememberFailure(
  memory: WriteBackMemory,
  { spec }: StoredGitRepo,
  { version = memory.version, retryAfterMs = 0 } = {},
): void {
  const interval = intervalMs(spec.imageScanInterval);
  memory.fail(version, (failures) => retryDue(failures, interval, Date.now(), retryAfterMs));
}

function remember(
  memory: WriteBackMemory,
  gitRepo: StoredGitRepo,
  { result, brought }: Outcome,
  version: number,
): void {
  if (result.kind === 'failed') {
    const { retryAfterMs = 0 } = result;
    return rememberFailure(memory, gitRepo, { version, retryAfterMs });
  }
  const isIncomplete = 'plan' in result && result.plan.isIncomplete;
  if (isIncomplete || brought?.failures.length) return rememberFailure(memory, gitRepo, { version });
  memory.agree(result.at, version);
}

function record(
  gitRepo: StoredGitRepo,
  news: readonly WriteBackEvent[],
  { events, log }: Pick<RunDependencies, 'events' | 'log'>,
): void {
  const about = objectRef('GitRepo', gitRepo);
  for (const event of news) {
    const { type, reason, message } = event;
    events.record(about, { ...event, action: 'WriteBack' });
    log[type === 'Warning' ? 'warn' : 'info']({ gitRepo: objectKey(gitRepo), reason, message }, 'write-back');
  }
}
