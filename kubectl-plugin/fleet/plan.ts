import { DEFINED_AT_ANNOTATION, DEFINED_BY_LABEL } from '../../kube/kinds/defined.ts';
import { FROM_FLEET_ANNOTATION } from '../../kube/kinds/from-fleet.ts';
import type { GitRepo } from '../../kube/kinds/git-repo.ts';
import type { ImageScan } from '../../kube/kinds/image-scan.ts';
import { concerned, convertGitRepo, convertScan, type OwnObject, type OwnScan } from './convert.ts';

/** The objects of some namespaces, of Fleet's group and of ours. */
export interface Found {
  readonly fleet: { readonly scans: readonly ImageScan[]; readonly gitRepos: readonly GitRepo[] };
  readonly own: { readonly scans: readonly ImageScan[]; readonly gitRepos: readonly GitRepo[] };
}

/** An object of Fleet's: an ImageScan or a GitRepo. */
export interface Source {
  readonly kind: 'ImageScan' | 'GitRepo';
  readonly namespace: string;
  readonly name: string;
}

/** What is to become of an object of Fleet's. */
export type Item = { readonly source: Source } & (
  | {
      readonly kind: 'apply';
      readonly object: OwnObject;
      readonly notes: readonly string[];
      /** The ImageScan whose value in force the object gets. */
      readonly former?: ImageScan;
      /** The resourceVersion of the object that is there already. */
      readonly stored?: string;
    }
  /** Git defines an ImageScan of ours already: it gets the value in force where it has none. */
  | { readonly kind: 'carry'; readonly scan: ImageScan; readonly former: ImageScan }
  | { readonly kind: 'refused'; readonly message: string }
);

/** Items that belong together: a GitRepo, and before it its ImageScans, so that it finds their values at once. */
export type Group = readonly Item[];

/** What is to become of each object of Fleet's that image scan concerns. It depends on nothing but the objects found. */
export function plan({ fleet, own }: Found): Group[] {
  const names = new Names(own.scans);
  const scans = fleet.scans.toSorted(byName).map((scan) => ({ scan, item: planScan(scan, names) }));
  const gitRepos = concerned(fleet.gitRepos, fleet.scans)
    .toSorted(byName)
    .map((repo) => planGitRepo(repo, own.gitRepos));
  const ofRepo = Map.groupBy(scans, ({ scan }) => keyOf(scan.metadata.namespace, scan.spec.gitrepoName));
  const groups = gitRepos.map((item) => {
    const key = keyOf(item.source.namespace, item.source.name);
    const items = ofRepo.get(key) ?? [];
    ofRepo.delete(key);
    return [...items.map(({ item }) => item), item];
  });
  return [...groups, ...[...ofRepo.values()].map((items) => items.map(({ item }) => item))];
}

function planScan(scan: ImageScan, names: Names): Item {
  const source = sourceOf('ImageScan', scan);
  const converted = convertScan(scan);
  if (converted.kind === 'refused') return { source, ...converted };
  const { object, notes } = converted;
  const place = names.placeFor(object, converted.names);
  switch (place.kind) {
    case 'defined':
      return { source, kind: 'carry', scan: place.scan, former: scan };
    case 'taken':
      return { source, kind: 'refused', message: place.message };
    case 'own': {
      const metadata = { ...object.metadata, name: place.name };
      const stored = place.stored === undefined ? {} : { stored: place.stored };
      return { source, kind: 'apply', object: { ...object, metadata }, notes, former: scan, ...stored };
    }
  }
}

function planGitRepo(repo: GitRepo, own: readonly GitRepo[]): Item {
  const source = sourceOf('GitRepo', repo);
  const { namespace, name } = source;
  const converted = convertGitRepo(repo);
  if (converted.kind === 'refused') return { source, ...converted };
  const there = own.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name);
  if (there !== undefined && !isMigrated(there, name))
    return {
      source,
      kind: 'refused',
      message: `there is a GitRepo ${name} that somebody else made: it is left alone`,
    };
  const { object, notes } = converted;
  return { source, kind: 'apply', object, notes, ...(there && { stored: there.metadata.resourceVersion }) };
}

type Place =
  | { readonly kind: 'own'; readonly name: string; readonly stored?: string }
  | { readonly kind: 'defined'; readonly scan: ImageScan }
  | { readonly kind: 'taken'; readonly message: string };

/** Which name each ImageScan of ours gets: that which it has from an earlier run, else the first that is free. */
class Names {
  readonly #stored = new Map<string, ImageScan>();
  /** What serves a marker, by namespace, GitRepo and tagName. */
  readonly #serving = new Map<string, { readonly name: string; readonly from: string | undefined }>();
  readonly #taken = new Set<string>();

  constructor(own: readonly ImageScan[]) {
    for (const scan of own) {
      const { namespace, name, annotations } = scan.metadata;
      this.#stored.set(keyOf(namespace, name), scan);
      this.#taken.add(keyOf(namespace, name));
      this.#serving.set(markerKey(namespace, name, scan.spec), {
        name,
        from: annotations[FROM_FLEET_ANNOTATION],
      });
    }
  }

  placeFor(object: OwnScan, names: readonly string[]): Place {
    const { namespace, name, annotations, labels } = object.metadata;
    const from = annotations[FROM_FLEET_ANNOTATION];
    const marker = markerKey(namespace, name, object.spec);
    const serving = this.#serving.get(marker);
    if (serving !== undefined) {
      const stored = this.#stored.get(keyOf(namespace, serving.name));
      if (stored !== undefined && isDefined(stored, labels?.[DEFINED_BY_LABEL]))
        return { kind: 'defined', scan: stored };
      if (stored === undefined || serving.from !== from) return taken(serving.name, stored === undefined);
      return { kind: 'own', name: serving.name, stored: stored.metadata.resourceVersion };
    }
    const free = names.find((candidate) => !this.#taken.has(keyOf(namespace, candidate)));
    if (free === undefined)
      return {
        kind: 'taken',
        message: `the names ${names.join(', ')} are taken by ImageScans that somebody else made`,
      };
    this.#taken.add(keyOf(namespace, free));
    this.#serving.set(marker, { name: free, from });
    return { kind: 'own', name: free };
  }
}

/** Is it the object of a definition in Git, which the reconciler keeps as that says? */
function isDefined({ metadata }: ImageScan, definedBy: string | undefined): boolean {
  if (metadata.annotations[DEFINED_AT_ANNOTATION] === undefined) return false;
  return definedBy !== undefined && metadata.labels[DEFINED_BY_LABEL] === definedBy;
}

function taken(name: string, isOfThisRun: boolean): Place {
  const message = isOfThisRun
    ? `has the tagName of another ImageScan of its GitRepo, which became ${name}: delete the one that is not wanted, or change its tagName`
    : `ImageScan ${name}, which somebody else made, serves the same markers: it is left alone`;
  return { kind: 'taken', message };
}

/** Did an earlier run make it of the object of Fleet's that bears this name? */
function isMigrated({ metadata }: GitRepo, name: string): boolean {
  return metadata.annotations[FROM_FLEET_ANNOTATION] === name;
}

function markerKey(
  namespace: string,
  name: string,
  spec: Pick<ImageScan['spec'], 'tagName' | 'gitrepoName'>,
): string {
  return JSON.stringify([namespace, spec.gitrepoName || '', spec.tagName || name]);
}

function sourceOf(kind: Source['kind'], { metadata }: ImageScan | GitRepo): Source {
  return { kind, namespace: metadata.namespace, name: metadata.name };
}

function keyOf(namespace: string, name: string | null | undefined): string {
  return `${namespace}/${name ?? ''}`;
}

function byName(a: ImageScan | GitRepo, b: ImageScan | GitRepo): number {
  return compare(a.metadata.namespace, b.metadata.namespace) || compare(a.metadata.name, b.metadata.name);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
