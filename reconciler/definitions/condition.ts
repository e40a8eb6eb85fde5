import type { Condition } from '../../kube/kinds/common.ts';
import { type ConditionState, setCondition } from '../../kube/kinds/conditions.ts';
import { oneLine } from '../../core/one-line.ts';
import { placeText, type Mistake } from './definition.ts';
import type { Brought } from './definitions.ts';

/** The condition of a GitRepo that tells what became of its definitions. */
export const ACCEPTED = 'ImageScansAccepted';

/** The condition {@link ACCEPTED}, but for the generation that it is of. */
export type AcceptedState = Omit<ConditionState, 'observedGeneration'>;

/** How many mistakes the condition names, and UTF-16 units of each: an answer of the API server may be long. */
const NAMED = 20;
const MAX_MISTAKE = 1000;

/** What is to be said of the definitions of a GitRepo; undefined where no file defines anything, so that the condition goes. */
export function acceptedState({ definitions, mistakes }: Brought): AcceptedState | undefined {
  if (mistakes.length > 0)
    return { type: ACCEPTED, status: 'False', reason: 'InvalidDefinition', message: mistakesText(mistakes) };
  if (definitions === 0) return undefined;
  const message = definitions === 1 ? '1 scan is defined in Git' : `${definitions} scans are defined in Git`;
  return { type: ACCEPTED, status: 'True', reason: 'Accepted', message };
}

/**
 * The conditions of a GitRepo with what became of its definitions; as they are where nobody looked.
 *
 * @param generation of the GitRepo
 */
export function withAccepted(
  list: readonly Condition[] | undefined,
  brought: Brought | undefined,
  generation: number,
  now: Date,
): readonly Condition[] | undefined {
  if (brought === undefined) return list;
  const state = acceptedState(brought);
  if (state !== undefined) return setCondition(list, { ...state, observedGeneration: generation }, now);
  return list?.filter(({ type }) => type !== ACCEPTED);
}

/** Some mistakes, with their places. */
export function mistakesText(mistakes: readonly Mistake[]): string {
  const named = mistakes
    .slice(0, NAMED)
    .map((mistake) => `${placeText(mistake)}: ${oneLine(mistake.message, MAX_MISTAKE)}`);
  const more = mistakes.length > NAMED ? [`and ${mistakes.length - NAMED} more`] : [];
  return [...named, ...more].join('; ');
}
