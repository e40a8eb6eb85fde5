import { FLEET_GROUP } from '../../core/group.ts';
import { API_VERSION } from '../../kube/kinds/common.ts';
import { annotationMistake } from '../../kube/kinds/fleet.ts';
import { convert, FROM_FLEET_ANNOTATION, isInterval } from '../../kube/kinds/from-fleet.ts';
import type { GitRepo, GitRepoSpec } from '../../kube/kinds/git-repo.ts';
import type { ImageScan, ImageScanSpec } from '../../kube/kinds/image-scan.ts';

/** An object of ours as it is to be applied. */
export interface OwnObject {
  readonly apiVersion: typeof API_VERSION;
  readonly kind: 'ImageScan' | 'GitRepo';
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly spec: ImageScanSpec | GitRepoSpec;
}

/** What an object of Fleet's becomes, or why it cannot become one of ours. */
export type Converted<T extends OwnObject = OwnObject> =
  | {
      readonly kind: 'converted';
      readonly object: T;
      /** Names that it may bear, the best first. */
      readonly names: readonly string[];
      /** What could not be taken over as it stood, a sentence each. */
      readonly notes: readonly string[];
    }
  | { readonly kind: 'refused'; readonly message: string };

export type OwnScan = OwnObject & { readonly kind: 'ImageScan'; readonly spec: ImageScanSpec };
export type OwnGitRepo = OwnObject & { readonly kind: 'GitRepo'; readonly spec: GitRepoSpec };

/** The limits of our CRDs, where Fleet's have none. */
const MAX_IMAGE = 512;
const MAX_REPO = 2048;
const MAX_PATHS = 256;
const MAX_PATH = 1024;

/** What an ImageScan of Fleet's becomes. */
export function convertScan(scan: ImageScan): Converted<OwnScan> {
  const wrong = wrongImage(scan.spec.image);
  if (wrong !== undefined) return { kind: 'refused', message: wrong };
  return { kind: 'converted', ...convert(scan) };
}

function wrongImage(image: string): string | undefined {
  const quoted = JSON.stringify(image.slice(0, 100));
  if (image === '') return 'spec.image is empty: name one, or delete this ImageScan';
  if (image.includes('://')) return `spec.image ${quoted} is a URL: leave out the scheme, and migrate again`;
  if (image.includes(' ')) return `spec.image ${quoted} has a space in it: take it out, and migrate again`;
  if (image.length > MAX_IMAGE) return `spec.image ${quoted} has more than ${MAX_IMAGE} characters`;
  return undefined;
}

/** What a GitRepo of Fleet's becomes: what write-back reads of it, and nothing of what Fleet deploys by. */
export function convertGitRepo(gitRepo: GitRepo): Converted<OwnGitRepo> {
  const { metadata, spec } = gitRepo;
  const wrong = wrongRepo(spec);
  if (wrong !== undefined) return { kind: 'refused', message: wrong };
  const { namespace, name } = metadata;
  const { repo, branch, paths, clientSecretName, imageScanInterval, imageScanCommit, caBundle } = spec;
  const isUsable = !imageScanInterval || isInterval(imageScanInterval);
  const { authorName, authorEmail, messageTemplate } = imageScanCommit ?? {};
  const commit = present({ authorName, authorEmail, messageTemplate });
  return {
    kind: 'converted',
    names: [name],
    notes: [...intervalNotes(imageScanInterval, isUsable), ...annotationNotes(gitRepo)],
    object: {
      apiVersion: API_VERSION,
      kind: 'GitRepo',
      metadata: { namespace, name, annotations: { [FROM_FLEET_ANNOTATION]: name } },
      spec: {
        repo,
        ...present({ branch, clientSecretName, caBundle }),
        ...(paths && paths.length > 0 && { paths }),
        ...(imageScanInterval && isUsable && { imageScanInterval }),
        ...(Object.keys(commit).length > 0 && { imageScanCommit: commit }),
        ...(spec.insecureSkipTLSVerify && { insecureSkipTLSVerify: true }),
        ...(spec.compatibility && { compatibility: spec.compatibility }),
      },
    },
  };
}

function intervalNotes(interval: GitRepoSpec['imageScanInterval'], isUsable: boolean): string[] {
  if (isUsable) return [];
  return [
    `spec.imageScanInterval ${JSON.stringify(interval)} is no duration that can be used: it is the default now`,
  ];
}

function annotationNotes(gitRepo: GitRepo): string[] {
  const mistake = annotationMistake(gitRepo);
  return mistake === undefined ? [] : [`${mistake}: set spec.compatibility`];
}

function wrongRepo({ repo, paths }: GitRepoSpec): string | undefined {
  if (repo === '') return 'spec.repo is empty: name a repository, and migrate again';
  if (repo.length > MAX_REPO) return `spec.repo has more than ${MAX_REPO} characters`;
  if ((paths?.length ?? 0) > MAX_PATHS)
    return `spec.paths has more than ${MAX_PATHS} entries: name the folders above them, or globs, in a GitRepo of fleetscan.io`;
  if (paths?.some((path) => path.length > MAX_PATH))
    return `spec.paths has an entry of more than ${MAX_PATH} characters`;
  return undefined;
}

/** The fields that hold a text. */
function present<T extends Readonly<Record<string, unknown>>>(fields: T): { [K in keyof T]?: string } {
  const given = Object.entries(fields).filter(([, value]) => typeof value === 'string' && value !== '');
  return Object.fromEntries(given) as { [K in keyof T]?: string };
}

/**
 * The GitRepos of Fleet's that image scan concerns: an ImageScan names it, or it says how to commit.
 *
 * @param scans Fleet's ImageScans of the same namespaces
 */
export function concerned(gitRepos: readonly GitRepo[], scans: readonly ImageScan[]): GitRepo[] {
  const named = new Set(scans.map(({ metadata, spec }) => `${metadata.namespace}/${spec.gitrepoName ?? ''}`));
  return gitRepos.filter(
    ({ group, metadata, spec }) =>
      group === FLEET_GROUP &&
      (named.has(`${metadata.namespace}/${metadata.name}`) || spec.imageScanCommit || spec.imageScanInterval),
  );
}
