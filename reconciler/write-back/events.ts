import { oneLine } from '../../core/one-line.ts';
import type { Condition } from '../../kube/kinds/common.ts';
import { annotationMistake } from '../../kube/kinds/fleet.ts';
import type { EditPlan } from '../../write-back/plan.ts';
import type { StoredGitRepo } from '../stores.ts';
import type { Written } from '../status-writer.ts';
import type { WriteBackResult } from './result.ts';
import { syncedState } from './status.ts';

/** What an Event on a GitRepo says. */
export interface WriteBackEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/** An Event says this many changes at most. */
const NAMED_CHANGES = 5;
/** UTF-16 units of each; an image's name and tag have 400 at most. */
const MAX_CHANGE = 800;

/** What a write-back has to tell that was not told before: a push, news of its pull request, and what it could not do. */
export function eventsOf(
  { before, after }: Written<StoredGitRepo>,
  result: WriteBackResult,
): WriteBackEvent[] {
  return [
    ...pushEvents(result),
    ...requestEvents(before, after),
    ...troubleEvents(before, after, result),
    ...annotationEvents(before, after),
  ];
}

function pushEvents(result: WriteBackResult): WriteBackEvent[] {
  if (!('pushed' in result) || result.pushed === undefined) return [];
  const message = `pushed ${result.pushed.slice(0, 12)}: ${changesText(result.plan)}`;
  return [{ type: 'Normal', reason: 'Pushed', message }];
}

function requestEvents(before: StoredGitRepo, after: StoredGitRepo): WriteBackEvent[] {
  const [had, has] = [before.status.pullRequest, after.status.pullRequest];
  if (has === undefined || (had?.number === has.number && had.state === has.state)) return [];
  // Of a request that was over before we knew of it there is nothing to tell.
  if (had?.number !== has.number && has.state !== 'Open') return [];
  const verb = { Open: 'opened', Merged: 'merged', Closed: 'closed' }[has.state];
  const reason = { Open: 'PullRequestOpened', Merged: 'PullRequestMerged', Closed: 'PullRequestClosed' }[
    has.state
  ];
  return [{ type: 'Normal', reason, message: `pull request #${has.number} was ${verb}: ${has.url}` }];
}

function troubleEvents(
  before: StoredGitRepo,
  after: StoredGitRepo,
  result: WriteBackResult,
): WriteBackEvent[] {
  const notes = result.kind === 'proposed' ? result.notes : [];
  const noted = notes.map((message) => ({
    type: 'Warning' as const,
    reason: 'PullRequestInPart',
    message,
  }));
  const [had, has] = [syncedCondition(before), syncedCondition(after)];
  const isNews = had?.reason !== has?.reason || had?.message !== has?.message;
  const isTrouble = result.kind === 'failed' || ('plan' in result && result.plan.leftAlone.length > 0);
  // Not as the condition has it: on one of Fleet's every failure has the same reason.
  const state = syncedState(result, after.group);
  if (state === undefined || !isNews || !isTrouble) return noted;
  return [...noted, { type: 'Warning', reason: state.reason, message: state.message }];
}

/** What is wrong in an annotation, once the condition says so: a GitRepo that only deploys is told nothing. */
function annotationEvents(before: StoredGitRepo, after: StoredGitRepo): WriteBackEvent[] {
  const message = annotationMistake(after);
  const says = (repo: StoredGitRepo): boolean =>
    message !== undefined && syncedCondition(repo)?.message?.startsWith(message) === true;
  if (message === undefined || says(before) || !says(after)) return [];
  return [{ type: 'Warning', reason: 'InvalidAnnotation', message }];
}

function syncedCondition({ status }: StoredGitRepo): Condition | undefined {
  return status.conditions?.find((condition) => condition.type === 'ImageSynced');
}

function changesText({ edits }: EditPlan): string {
  const named = edits
    .slice(0, NAMED_CHANGES)
    .map(({ file, line, before, after }) =>
      oneLine(`${oneLine(file, 300)}:${line} ${oneLine(before)} -> ${after}`, MAX_CHANGE),
    );
  const more = edits.length > NAMED_CHANGES ? [`and ${edits.length - NAMED_CHANGES} more`] : [];
  return [...named, ...more].join(', ');
}
