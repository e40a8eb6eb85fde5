import type { StoredGitRepo } from '../stores.ts';
import type { WriteBackEvent } from '../write-back/events.ts';
import { ACCEPTED, acceptedState } from './condition.ts';
import type { Brought } from './definitions.ts';

/** An Event names this many ImageScans at most. */
const NAMED = 10;

/** What the definitions of a GitRepo have to tell that was not told before: what was done to ImageScans, and new mistakes. */
export function definitionEvents(gitRepo: StoredGitRepo, brought: Brought): WriteBackEvent[] {
  const { created, changed, removed } = brought;
  return [
    ...doneEvent('ImageScanCreated', 'created, as Git defines them', created),
    ...doneEvent('ImageScanChanged', 'changed to what Git says', changed),
    ...doneEvent('ImageScanRemoved', 'removed, as no longer wanted', removed),
    ...mistakeEvent(gitRepo, brought),
  ];
}

function doneEvent(reason: string, what: string, names: readonly string[]): WriteBackEvent[] {
  if (names.length === 0) return [];
  const sorted = names.toSorted();
  const more = sorted.length > NAMED ? ` and ${sorted.length - NAMED} more` : '';
  return [{ type: 'Normal', reason, message: `${what}: ${sorted.slice(0, NAMED).join(', ')}${more}` }];
}

function mistakeEvent({ status }: StoredGitRepo, brought: Brought): WriteBackEvent[] {
  const state = acceptedState(brought);
  if (state?.status !== 'False') return [];
  const told = status.conditions?.find(({ type }) => type === ACCEPTED)?.message;
  return told === state.message ? [] : [{ type: 'Warning', reason: state.reason, message: state.message }];
}
