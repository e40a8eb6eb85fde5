import type { ImageScan } from '../kube/kinds/image-scan.ts';
import type { ScanResult } from '../scan/scan.ts';
import { connected } from './connection.ts';
import type { ConnectionFlags } from './connection-flags.ts';
import { type Explanation, type ExplanationForm, explanationOf, printExplanation } from './explanation.ts';
import { ScanError } from './failure.ts';
import { resourceName, scanRef } from './names.ts';
import { note } from './output.ts';
import type { RegistryFlags } from './registry-flags.ts';
import { askingRegistries } from './registry-session.ts';
import { parseFound, ScanFinder } from './scan-finder.ts';
import { clusterAccess, scanFromHere } from './scan-from-here.ts';

/** The flags of `explain`. */
export interface ExplainFlags extends ConnectionFlags, RegistryFlags {
  readonly output?: ExplanationForm;
}

/**
 * Shows for each tag of an ImageScan's image what the policy makes of it, by a scan from here that changes nothing. Where the
 * registry cannot be asked from here, the candidates that the reconciler noted are shown.
 *
 * @throws {ApiError | KubeconfigError | UsageError | ScanError}
 */
export async function explain(name: string, flags: ExplainFlags): Promise<void> {
  const ref = scanRef(name);
  await connected(flags, async (connection) => {
    const scan = parseFound(await new ScanFinder(connection).find(ref));
    const result = await askingRegistries(flags, (registry) =>
      scanFromHere(scan, registry, clusterAccess(connection.client)),
    );
    const explanation = withStatus(scan, result);
    printExplanation(explanation, flags.output);
    if (explanation.candidates.length === 0)
      throw new ScanError('Failed', `${label(scan)}: ${explanation.message ?? 'there are no tags'}`);
  });
}

function withStatus(scan: ImageScan, result: ScanResult): Explanation {
  const { latestTag, candidates = [], lastScanTime } = scan.status;
  const found = explanationOf(scan.spec.image, result);
  const told = latestTag === undefined ? found : { ...found, inForce: latestTag };
  if (found.candidates.length > 0 || candidates.length === 0) return told;
  note(`${found.message}; these are the candidates that the reconciler noted at ${lastScanTime}`);
  return { ...told, candidates };
}

function label({ group, metadata }: ImageScan): string {
  return resourceName('ImageScan', metadata.name, group);
}
