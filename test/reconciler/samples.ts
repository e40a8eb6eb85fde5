import { type Logger, pino } from 'pino';
import { FLEET_GROUP } from '../../core/group.ts';
import { API_VERSION, FLEET_API_VERSION } from '../../kube/kinds/common.ts';
import {
  parseStoredGitRepo,
  parseStoredScan,
  type StoredGitRepo,
  type StoredScan,
} from '../../reconciler/stores.ts';

/** The paths of our kinds on the API server, without namespace. */
export const IMAGE_SCANS_PATH = '/apis/fleetscan.io/v1alpha1/imagescans';
export const GIT_REPOS_PATH = '/apis/fleetscan.io/v1alpha1/gitrepos';

/** Those of Fleet's. */
export const FLEET_IMAGE_SCANS_PATH = '/apis/fleet.cattle.io/v1alpha1/imagescans';
export const FLEET_GIT_REPOS_PATH = '/apis/fleet.cattle.io/v1alpha1/gitrepos';

export const DIGEST = `sha256:${'a'.repeat(64)}`;
export const OTHER_DIGEST = `sha256:${'b'.repeat(64)}`;

interface Parts {
  readonly metadata?: object;
  readonly spec?: object;
  readonly status?: object;
}

/** An object of the API as a test wants it, with what every object has. */
export function rawScan({ metadata, spec, status }: Parts = {}) {
  return {
    apiVersion: API_VERSION,
    kind: 'ImageScan',
    metadata: { namespace: 'team', name: 'web', generation: 1, ...metadata },
    spec: { image: 'registry.example/web', ...spec },
    ...(status !== undefined && { status }),
  };
}

export function rawGitRepo({ metadata, spec, status }: Parts = {}) {
  return {
    apiVersion: API_VERSION,
    kind: 'GitRepo',
    metadata: { namespace: 'team', name: 'apps', generation: 1, ...metadata },
    spec: { repo: 'https://git.example/apps.git', ...spec },
    ...(status !== undefined && { status }),
  };
}

export function imageScan(parts?: Parts): StoredScan {
  return parseStoredScan(rawScan(parts));
}

export function gitRepo(parts?: Parts): StoredGitRepo {
  return parseStoredGitRepo(rawGitRepo(parts));
}

/** {@link rawScan} of Fleet's group. */
export function rawFleetScan(parts?: Parts) {
  return { ...rawScan(parts), apiVersion: FLEET_API_VERSION };
}

/** {@link rawGitRepo} of Fleet's group. */
export function rawFleetGitRepo(parts?: Parts) {
  return { ...rawGitRepo(parts), apiVersion: FLEET_API_VERSION };
}

export function fleetScan(parts?: Parts): StoredScan {
  return parseStoredScan(rawFleetScan(parts), FLEET_GROUP);
}

export function fleetGitRepo(parts?: Parts): StoredGitRepo {
  return parseStoredGitRepo(rawFleetGitRepo(parts), FLEET_GROUP);
}

/** A logger, and the lines that it was told. */
export function recordedLog(): { log: Logger; lines: { level: number; msg: string }[] } {
  const lines: { level: number; msg: string }[] = [];
  return { log: pino({ level: 'debug' }, { write: (line) => lines.push(JSON.parse(line)) }), lines };
}
