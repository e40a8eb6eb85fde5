import { FLEET_GROUP, type Group, OWN_GROUP } from '../../core/group.ts';
import { FLEET_GIT_REPOS, FLEET_IMAGE_SCANS, GIT_REPOS, IMAGE_SCANS, type Resource } from '../resource.ts';
import { parseFleetGitRepo, parseFleetImageScan } from './fleet.ts';
import { type GitRepo, parseGitRepo } from './git-repo.ts';
import { type ImageScan, parseImageScan } from './image-scan.ts';

/** A kind of one group: where its objects are, and how one is read. */
export interface ServedKind<T> {
  readonly resource: Resource;
  /** @throws {InvalidObjectError} that names the object and every wrong field */
  readonly parse: (raw: unknown) => T;
}

/** The ImageScans of both groups. */
export const IMAGE_SCAN_KINDS: Readonly<Record<Group, ServedKind<ImageScan>>> = {
  [OWN_GROUP]: { resource: IMAGE_SCANS, parse: parseImageScan },
  [FLEET_GROUP]: { resource: FLEET_IMAGE_SCANS, parse: parseFleetImageScan },
};

/** The GitRepos of both groups. */
export const GIT_REPO_KINDS: Readonly<Record<Group, ServedKind<GitRepo>>> = {
  [OWN_GROUP]: { resource: GIT_REPOS, parse: parseGitRepo },
  [FLEET_GROUP]: { resource: FLEET_GIT_REPOS, parse: parseFleetGitRepo },
};
