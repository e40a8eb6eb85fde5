import type { StepName } from './steps.ts';
import type { FleetCase, Mode } from './situation.ts';

/** What happens in a case and mode, and the step that is to be taken next; none: all is well. */
export interface Outlook {
  readonly happens: string;
  readonly step?: StepName;
}

/** What each case is, in a sentence. */
export const CASES: Readonly<Record<FleetCase, string>> = {
  NotInstalled: 'Fleet is not in this cluster: its GitRepos are not served.',
  NoController: "Fleet's kinds are in this cluster, and no fleet-controller runs.",
  ImageScanOff: 'Fleet runs with its image scan off, the default since v0.15.',
  ImageScanRefused:
    'Fleet runs with its image scan off, so it refuses to deploy what has imageScans in fleet.yaml.',
  ImageScanOn: 'Fleet runs with its image scan on.',
  ImageScanUnknown: 'Fleet is here; whether its image scan is on could not be read.',
  FeatureRemoved:
    'Fleet has GitRepos in this cluster, and no image scan any more: its ImageScans are not served.',
};

const ALONE =
  "Fleetscan scans for Fleet's ImageScans and writes their values back to Git, and nobody else does.";
const NOBODY = "Nobody scans for Fleet's ImageScans.";
const FLEET_ALONE = 'Fleet scans and writes back; Fleetscan leaves its objects alone.';
const TAKEN_OVER =
  'Fleetscan scans and writes back. Fleet makes the ImageScans of fleet.yaml as before, and passes them over for their shard label.';
const MAY_BOTH = 'Fleetscan scans and writes back; if the image scan of Fleet is on, both do.';
const NOT_READ = 'What Fleetscan does could not be read.';
const FROM_GIT =
  'Fleetscan reads the imageScans of fleet.yaml from Git itself, scans for them and writes their values back, and nobody else does.';
const NOTHING: Outlook = { happens: "There is nothing of Fleet's to serve." };
const UNKNOWN: Outlook = { happens: NOT_READ, step: 'ReadAsSomebodyElse' };

/** What happens in every case and mode. */
export const OUTLOOKS: Readonly<Record<FleetCase, Readonly<Record<Mode, Outlook>>>> = {
  NotInstalled: {
    NotInstalled: NOTHING,
    Off: NOTHING,
    Serve: { happens: "There is nothing of Fleet's to serve yet; Fleetscan looks for it every 10 seconds." },
    TakeOver: {
      happens: "There is nothing of Fleet's to take over yet; Fleetscan looks for it every 10 seconds.",
    },
    Unknown: NOTHING,
  },
  NoController: {
    NotInstalled: { happens: NOBODY, step: 'InstallServe' },
    Off: { happens: NOBODY, step: 'Serve' },
    Serve: { happens: ALONE },
    TakeOver: { happens: ALONE },
    Unknown: UNKNOWN,
  },
  ImageScanOff: {
    NotInstalled: { happens: NOBODY, step: 'InstallServe' },
    Off: { happens: NOBODY, step: 'Serve' },
    Serve: { happens: ALONE },
    TakeOver: { happens: `${ALONE} Should Fleet's image scan be turned on, it finds them taken.` },
    Unknown: UNKNOWN,
  },
  ImageScanRefused: {
    NotInstalled: { happens: NOBODY, step: 'InstallTakeOver' },
    Off: { happens: NOBODY, step: 'TakeOver' },
    Serve: {
      happens: `${FROM_GIT} What Fleet refuses to deploy stays so until its image scan is on, for which Fleetscan has to take over first.`,
      step: 'TakeOver',
    },
    TakeOver: {
      happens: `${FROM_GIT} Fleet's image scan can be turned on now, so that it deploys again: it will pass its ImageScans over.`,
      step: 'TurnOnImageScan',
    },
    Unknown: UNKNOWN,
  },
  ImageScanOn: {
    NotInstalled: { happens: 'Fleet scans and writes back.', step: 'InstallTakeOver' },
    Off: { happens: FLEET_ALONE, step: 'TakeOver' },
    Serve: { happens: 'Fleet and Fleetscan both scan and write back.', step: 'TakeOver' },
    TakeOver: { happens: TAKEN_OVER },
    Unknown: UNKNOWN,
  },
  ImageScanUnknown: {
    NotInstalled: {
      happens: 'If the image scan of Fleet is on, it scans and writes back.',
      step: 'InstallTakeOver',
    },
    Off: { happens: `If it is on: ${FLEET_ALONE}`, step: 'TakeOver' },
    Serve: { happens: MAY_BOTH, step: 'TakeOver' },
    TakeOver: { happens: TAKEN_OVER },
    Unknown: UNKNOWN,
  },
  FeatureRemoved: {
    NotInstalled: { happens: 'Nobody scans.', step: 'InstallServe' },
    Off: { happens: 'Nobody scans for the GitRepos of Fleet.', step: 'Serve' },
    Serve: { happens: FROM_GIT },
    TakeOver: { happens: FROM_GIT },
    Unknown: UNKNOWN,
  },
};
