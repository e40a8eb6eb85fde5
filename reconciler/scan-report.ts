import type { Logger } from 'pino';
import { scanKey } from '../core/scan.ts';
import type { EventRecorder } from '../kube/events.ts';
import { objectRef } from '../kube/kinds/common.ts';
import type { ScanResult } from '../scan/scan.ts';
import { scanFailureOf } from './scan-record.ts';
import { valueChange } from './scan-status.ts';
import type { Written } from './status-writer.ts';
import type { StoredScan } from './stores.ts';

/** Tells in Events and in the log what a scan changed: a new value, a failure that is not the one before, and the end of failures. */
export function tellScan(
  { events, log }: { events: EventRecorder; log: Logger },
  { before, after }: Written<StoredScan>,
  result: ScanResult,
): void {
  const about = objectRef('ImageScan', after);
  const scan = scanKey(after);
  const record = (type: 'Normal' | 'Warning', reason: string, message: string): void =>
    events.record(about, { type, reason, action: 'Scan', message });
  const formerFailure = scanFailureOf(before);

  const change = valueChange(before.status, after.status);
  if (change !== undefined) {
    record(
      'Normal',
      'ValueChanged',
      `${change.from?.tag ?? 'nothing'} -> ${change.to.tag} (${change.to.digest})`,
    );
    log.info({ scan, from: change.from, to: change.to }, 'a new value is in force');
  }
  if (result.kind === 'failed' && formerFailure !== result.reason) {
    record('Warning', result.reason, result.message);
    log.warn({ scan, reason: result.reason, message: result.message }, 'a scan failed');
  }
  if (result.kind === 'selected' && formerFailure !== undefined) {
    record(
      'Normal',
      'Recovered',
      `scans succeed again after ${formerFailure}; ${result.value.tag} is in force`,
    );
    log.info({ scan, after: formerFailure }, 'scans succeed again');
  }
}
