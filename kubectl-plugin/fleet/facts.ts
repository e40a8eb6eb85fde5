import type { FleetTakeover } from '../../program/fleet-takeover.ts';

/** What is known of a cluster, as far as the user may read it. Times are in milliseconds since the epoch. */
export interface Facts {
  readonly now: number;
  /** Which of Fleet's kinds the API server serves. */
  readonly kinds: { readonly gitRepos: boolean; readonly imageScans: boolean };
  /** Fleet's Deployments; undefined: not known. */
  readonly controllers: readonly FleetController[] | undefined;
  /** Fleetscan's Deployment; 'none': there is none; undefined: not known. */
  readonly fleetscan: Installation | 'none' | undefined;
  /** Is there a webhook that sees Fleet's ImageScans before they are stored? undefined: not known. */
  readonly hasWebhookRule: boolean | undefined;
  /** Fleet's ImageScans; undefined: not known. */
  readonly scans: readonly ScanFacts[] | undefined;
  /** Fleet's GitRepos; undefined: not known. */
  readonly gitRepos: readonly GitRepoFacts[] | undefined;
  /** The GitRepos of ours, as `namespace/name`; undefined: not known. */
  readonly ownGitRepos: ReadonlySet<string> | undefined;
}

/** A Deployment of Fleet's: the one that scans and commits (and its shards), or the one that runs `fleet apply`. */
export interface FleetController {
  readonly role: 'fleet-controller' | 'gitjob';
  readonly namespace: string;
  readonly name: string;
  /** As its image's tag has it, without the `v`: `0.16.1`. */
  readonly version?: string | undefined;
  readonly imageScan: 'On' | 'Off' | 'Unknown';
  /** When it was last rolled out. */
  readonly startedAt: number;
}

/** How Fleetscan is installed. */
export interface Installation {
  readonly namespace: string;
  /** Helm's name for it. */
  readonly release: string;
  readonly deployment: string;
  readonly takeover: FleetTakeover;
  readonly compatibility: string;
}

/** A write to a status, of which the API server keeps the last of each writer. */
export interface Write {
  readonly manager: string;
  readonly at: number;
}

/** What counts of an ImageScan of Fleet's. */
export interface ScanFacts {
  readonly namespace: string;
  readonly name: string;
  readonly gitRepo?: string | undefined;
  /** The GitRepo and commit whose files define it, when `fleet apply` made it. */
  readonly appliedFrom?: { readonly gitRepo: string; readonly commit: string } | undefined;
  readonly shard?: string | undefined;
  /** When we put the shard label on it; undefined also when it was created with it. */
  readonly labelledAt?: number | undefined;
  readonly intervalMs: number;
  /** The last write of another controller to what a scan finds. */
  readonly foreignWrite?: Write | undefined;
}

/** What counts of a GitRepo of Fleet's. */
export interface GitRepoFacts {
  readonly namespace: string;
  readonly name: string;
  readonly hasSecret: boolean;
  /** Did `fleet apply` refuse its `imageScans`? */
  readonly isRefused: boolean;
  /** The commit that Fleet deployed last. */
  readonly commit?: string | undefined;
  readonly intervalMs: number;
  /** The last write of another controller to what write-back writes. */
  readonly foreignWrite?: Write | undefined;
}
