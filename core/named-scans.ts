import type { Scan } from './scan.ts';

const NONE: readonly Scan[] = [];
type Lists = Map<string, readonly Scan[]>;

/**
 * Scans by namespace and tagName, those that are for one GitRepo apart from those that are for all: where many GitRepos of a namespace
 * have a scan of the same tagName, as Fleet's have, what concerns one of them is found without a look at the others.
 */
export class NamedScans {
  /** By `namespace/tagName`. */
  readonly #forAll: Lists = new Map();
  /** By `namespace/tagName`, and then by GitRepo. */
  readonly #forOne = new Map<string, Lists>();

  add(scan: Scan): void {
    const name = nameOf(scan.namespace, scan.tagName);
    if (scan.gitrepoName === undefined) return addTo(this.#forAll, name, scan);
    const lists: Lists = this.#forOne.get(name) ?? new Map();
    this.#forOne.set(name, lists);
    addTo(lists, scan.gitrepoName, scan);
  }

  remove(scan: Scan): void {
    const name = nameOf(scan.namespace, scan.tagName);
    if (scan.gitrepoName === undefined) return removeFrom(this.#forAll, name, scan);
    const lists = this.#forOne.get(name);
    if (lists === undefined) return;
    removeFrom(lists, scan.gitrepoName, scan);
    if (lists.size === 0) this.#forOne.delete(name);
  }

  clear(): void {
    this.#forAll.clear();
    this.#forOne.clear();
  }

  /** Those that serve a GitRepo; all of the name where none is given. */
  serving(namespace: string, tagName: string, gitrepo: string | undefined): readonly Scan[] {
    const name = nameOf(namespace, tagName);
    const forAll = this.#forAll.get(name) ?? NONE;
    const lists = this.#forOne.get(name);
    if (lists === undefined) return forAll;
    const forOne = gitrepo === undefined ? [...lists.values()].flat() : (lists.get(gitrepo) ?? NONE);
    return [...forAll, ...forOne];
  }
}

/** Adds a scan to a list, which is made when there is none. */
export function addTo(lists: Lists, key: string, scan: Scan): void {
  lists.set(key, [...(lists.get(key) ?? NONE), scan]);
}

/** Takes a scan out of a list, which goes when it is empty. */
export function removeFrom(lists: Lists, key: string, scan: Scan): void {
  const others = (lists.get(key) ?? NONE).filter((other) => other !== scan);
  if (others.length > 0) lists.set(key, others);
  else lists.delete(key);
}

// No namespace has a slash in its name.
function nameOf(namespace: string, tagName: string): string {
  return `${namespace}/${tagName}`;
}
