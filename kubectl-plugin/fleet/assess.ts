import type { Facts } from './facts.ts';
import { type Finding, type FindingType, findingsOf, NEEDS_ACTION } from './findings.ts';
import { CASES, OUTLOOKS } from './outlook.ts';
import { type FleetCase, fleetCase, isServing, type Mode, modeOf, startOf } from './situation.ts';
import { type Step, type StepName, stepOf } from './steps.ts';

/** Does another controller than Fleetscan write to Fleet's objects? `Unknown`: they could not be read. */
export type Writers = 'FleetscanAlone' | 'Both' | 'Unknown';

/** What is so in a cluster, what happens there, and what is to be done next. */
export interface Assessment {
  readonly case: FleetCase;
  readonly mode: Mode;
  /** The case in a sentence. */
  readonly situation: string;
  readonly happens: string;
  /** Absent when nothing has to be done about the case. */
  readonly nextStep?: Step;
  /** Absent where Fleetscan does not serve Fleet's objects. */
  readonly writers?: Writers;
  readonly findings: readonly Finding[];
}

/** Says of a cluster in which case it is, what happens in it, the next step, and what is amiss. */
export function assess(facts: Facts): Assessment {
  const found = fleetCase(facts);
  const mode = modeOf(facts);
  const { happens, step } = OUTLOOKS[found][mode];
  const findings = findingsOf(facts);
  const next = mode === 'TakeOver' ? stepOfTakeOver(facts, found, findings) : step;
  return {
    case: found,
    mode,
    situation: CASES[found],
    happens,
    ...(next !== undefined && { nextStep: stepOf(next, facts) }),
    ...(isServing(mode) && found !== 'NotInstalled' && { writers: writersOf(facts, findings) }),
    findings,
  };
}

/** Is something to be done: a step, or about a finding? */
export function isOpen({ nextStep, findings }: Assessment): boolean {
  return nextStep !== undefined || findings.some(({ type }) => NEEDS_ACTION[type]);
}

/** The take-over has to be whole before Fleet is told anything, or Fleet would take up what it should pass over. */
function stepOfTakeOver(facts: Facts, found: FleetCase, findings: readonly Finding[]): StepName | undefined {
  const has = (type: FindingType) => findings.some((finding) => finding.type === type);
  if (has('NoWebhookRule')) return 'TakeOver';
  if (has('NotLabelled')) return 'AwaitLabels';
  const { step } = OUTLOOKS[found].TakeOver;
  if (step !== undefined) return step;
  if (found !== 'ImageScanOn' && found !== 'ImageScanUnknown') return undefined;
  return has('TwoWriters') ? 'RestartFleet' : restartStep(facts);
}

/** Jobs that fleet-controller scheduled before the take-over live on until it is started anew. */
function restartStep(facts: Facts): StepName | undefined {
  const labelled = (facts.scans ?? []).flatMap(({ labelledAt }) => labelledAt ?? []);
  if (labelled.length === 0) return undefined;
  const start = startOf(facts);
  if (start === undefined) return 'ReadAsSomebodyElse';
  return start < Math.min(...labelled) ? 'RestartFleet' : undefined;
}

function writersOf({ kinds, scans, gitRepos }: Facts, findings: readonly Finding[]): Writers {
  if (findings.some(({ type }) => type === 'TwoWriters')) return 'Both';
  const isRead = gitRepos !== undefined && (scans !== undefined || !kinds.imageScans);
  return isRead ? 'FleetscanAlone' : 'Unknown';
}
