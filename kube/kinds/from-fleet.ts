import { parseDuration } from '../../core/duration.ts';
import { API_VERSION } from './common.ts';
import { DEFINED_BY_LABEL } from './defined.ts';
import { FLEET_REPO_LABEL } from './fleet.ts';
import type { ImageScan } from './image-scan.ts';
import { isObjectName, MAX_OBJECT_NAME } from './object-name.ts';

/** Annotation of an ImageScan of ours that was one of Fleet's: the name that it had there, in the same namespace. */
export const FROM_FLEET_ANNOTATION = 'fleetscan.io/from-fleet';

/** An ImageScan of ours as it is to be created. */
export interface ConvertedScan {
  readonly apiVersion: typeof API_VERSION;
  readonly kind: 'ImageScan';
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly spec: ImageScan['spec'];
}

/** What became of an ImageScan of Fleet's. */
export interface Conversion {
  readonly object: ConvertedScan;
  /** Names that it may bear, the best first (that of `object`), for where one is taken. */
  readonly names: readonly string[];
  /** What could not be taken over as it stood, one sentence each. */
  readonly notes: readonly string[];
}

/** Label by which `fleet apply` names the GitRepo whose fleet.yaml an ImageScan comes from. */
/** The limits of our CRD, where Fleet's has none. */
const MAX_INTERVAL_TEXT = 32;
const MAX_INTERVAL_MS = 2_562_047 * 3_600_000;
const MAX_RANGE = 512;

/**
 * Makes an ImageScan of ours of one of Fleet's: the same namespace, image, tagName, GitRepo and policy. What our CRD refuses is
 * left to its default and told in `notes`; where the default would choose other tags, the scan is suspended in its place. An
 * image that our CRD refuses stays as it is, for there is none in its place: the API server says what is wrong with it.
 */
export function convert(scan: ImageScan): Conversion {
  const { metadata, spec } = scan;
  const { namespace } = metadata;
  const notes: string[] = [];
  const interval = convertedInterval(spec.interval, notes);
  const policy = convertedPolicy(spec.policy, notes);
  const secretRef = convertedSecret(spec.secretRef, notes);
  const isSuspended = spec.suspend === true || policy === 'unusable';
  const definedBy = definingGitRepo(scan);
  const names = namesFor(scan, definedBy);
  return {
    object: {
      apiVersion: API_VERSION,
      kind: 'ImageScan',
      metadata: {
        namespace,
        name: names[0] ?? metadata.name,
        ...(definedBy !== undefined && { labels: { [DEFINED_BY_LABEL]: definedBy } }),
        annotations: { [FROM_FLEET_ANNOTATION]: metadata.name },
      },
      spec: {
        image: spec.image,
        tagName: spec.tagName || metadata.name,
        ...(spec.gitrepoName && { gitrepoName: spec.gitrepoName }),
        ...(interval !== undefined && { interval }),
        ...(secretRef && { secretRef }),
        ...(isSuspended && { suspend: true }),
        ...(policy !== undefined && policy !== 'unusable' && { policy }),
      },
    },
    names,
    notes,
  };
}

function convertedInterval(interval: ImageScan['spec']['interval'], notes: string[]): string | undefined {
  if (!interval) return undefined;
  if (isInterval(interval)) return interval;
  notes.push(
    `the interval ${JSON.stringify(interval)} is no duration that can be used: it is the default now`,
  );
  return undefined;
}

/** Does our CRD take it as an interval? */
export function isInterval(text: string): boolean {
  try {
    return text.length <= MAX_INTERVAL_TEXT && parseDuration(text) <= MAX_INTERVAL_MS;
  } catch {
    return false;
  }
}

type Policy = ImageScan['spec']['policy'];

function convertedPolicy(policy: Policy, notes: string[]): Policy | 'unusable' {
  const range = policy?.semver?.range;
  if (range && range.length > MAX_RANGE) {
    notes.push(`the semver range has more than ${MAX_RANGE} characters: shorten it, and end spec.suspend`);
    return 'unusable';
  }
  const semver = policy?.semver ? { semver: range ? { range } : {} } : {};
  const order = policy?.alphabetical?.order;
  const alphabetical = policy?.alphabetical ? { alphabetical: order ? { order } : {} } : {};
  return policy ? { ...semver, ...alphabetical } : undefined;
}

type SecretRef = ImageScan['spec']['secretRef'];

function convertedSecret(secretRef: SecretRef, notes: string[]): SecretRef {
  if (!secretRef) return undefined;
  const { name } = secretRef;
  if (name !== '' && name.length <= MAX_OBJECT_NAME) return secretRef;
  const wrong =
    name === '' ? 'without its name' : `by more than ${MAX_OBJECT_NAME} characters, which none has`;
  notes.push(`spec.secretRef refers to a Secret ${wrong}: it is left out`);
  return undefined;
}

/** The GitRepo whose fleet.yaml defines it, when it was made by `fleet apply`. */
function definingGitRepo({ metadata, spec }: ImageScan): string | undefined {
  const gitRepo = metadata.labels[FLEET_REPO_LABEL];
  return gitRepo !== undefined && gitRepo === spec.gitrepoName ? gitRepo : undefined;
}

// Those of definitions in Git have the GitRepo's name first: those of two GitRepos may have one tagName.
function namesFor({ metadata, spec }: ImageScan, definedBy: string | undefined): string[] {
  const tagName = spec.tagName || metadata.name;
  const wanted = [...(definedBy === undefined ? [] : [`${definedBy}-${tagName}`]), tagName];
  return [...new Set([...wanted.filter(isObjectName), metadata.name])];
}
