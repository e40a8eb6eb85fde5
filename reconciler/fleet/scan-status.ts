import { failureText } from '../../kube/kinds/fleet-failure.ts';
import type { ImageScan } from '../../kube/kinds/image-scan.ts';
import { timeText } from '../../kube/time.ts';
import type { ScanResult } from '../../scan/scan.ts';
import { conditionOf, type Occasion, statusAfter } from '../scan-status.ts';
import {
  failureReasonIn,
  failureStates,
  type FleetCondition,
  type FleetState,
  setFleetConditions,
} from './conditions.ts';

/** The fields of an ImageScan's status that Fleet's schema has, as a JSON merge patch: what is absent stays as it is. */
export interface FleetScanStatus {
  readonly observedGeneration: number;
  readonly lastScanTime?: string;
  readonly canonicalImageName?: string;
  readonly latestTag?: string;
  readonly latestImage?: string;
  readonly latestDigest?: string;
  readonly conditions: readonly FleetCondition[];
}

/**
 * The status of an ImageScan of Fleet's after a scan: the fields that {@link statusAfter} gives one of ours as far as Fleet has them, its
 * conditions as Fleet writes them, and `Ready` beside them. What Fleet never takes back, `Stalled`, ends with the failure.
 */
export function fleetScanStatusAfter(
  scan: ImageScan,
  result: ScanResult,
  occasion: Occasion,
): FleetScanStatus {
  const next = statusAfter(scan, result, occasion);
  const { lastScanTime, canonicalImageName, latestTag, latestImage, latestDigest } = next;
  const hasAnswered = lastScanTime !== undefined && lastScanTime !== scan.status.lastScanTime;
  const states = [...scannedStates(scan, result), ...readyState(next)];
  return {
    observedGeneration: scan.metadata.generation,
    ...(hasAnswered && { lastScanTime: timeText(new Date(lastScanTime)) }),
    ...(canonicalImageName !== undefined && { canonicalImageName }),
    ...(latestTag !== undefined && { latestTag }),
    ...(latestImage !== undefined && { latestImage }),
    ...(latestDigest !== undefined && { latestDigest }),
    conditions: setFleetConditions(scan.status.conditions, states, occasion.now),
  };
}

/** Why the last scan of an ImageScan of Fleet's failed, when it did. */
export function fleetScanFailure(scan: Pick<ImageScan, 'status'>): string | undefined {
  return failureReasonIn(conditionOf(scan, 'ImageScanned'));
}

function scannedStates(scan: ImageScan, result: ScanResult): FleetState[] {
  const type = 'ImageScanned';
  if (result.kind === 'failed') return failureStates(type, failureText(result));
  const { warning } = result;
  const isThere = (each: string): boolean => conditionOf(scan, each) !== undefined;
  return [
    { type, status: 'True', ...(warning !== undefined && { message: warning }) },
    ...['Reconciling', 'Stalled'].filter(isThere).map((each) => ({ type: each, status: 'False' as const })),
  ];
}

function readyState(status: ImageScan['status']): FleetState[] {
  const ready = conditionOf({ status }, 'Ready');
  if (ready === undefined || ready.status === 'Unknown') return [];
  const { type, reason = '', message = '' } = ready;
  return [{ type, status: ready.status, reason, message }];
}
