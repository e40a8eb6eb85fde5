import { oneLine } from '../../core/one-line.ts';
import { FLEET_GROUP, OWN_GROUP } from '../../core/group.ts';
import { DEFINED_BY_LABEL } from '../../kube/kinds/defined.ts';
import { FROM_FLEET_ANNOTATION } from '../../kube/kinds/from-fleet.ts';
import { toScan } from '../../kube/kinds/to-scan.ts';
import type { StoredScan } from '../stores.ts';
import type { Defined, Definition, Mistake } from './definition.ts';
import { isFleetFile } from './files.ts';
import { labelFor, namesFor } from './names.ts';
import { fileOf, type Owner, type ScanPatch, scanPatch } from './object.ts';

/** What is to be done to one ImageScan. */
export type Operation =
  | { readonly kind: 'create'; readonly definition: Definition; readonly names: readonly string[] }
  | {
      readonly kind: 'change';
      readonly definition: Definition;
      readonly scan: StoredScan;
      readonly patch: ScanPatch;
    }
  /** It is one too many: no file has it any more, Fleet has one of the same name, or `fleet apply` left it behind. */
  | { readonly kind: 'remove'; readonly scan: StoredScan };

/** What makes the cluster's ImageScans those that files define. */
export interface Plan {
  readonly operations: readonly Operation[];
  /** Definitions that another ImageScan stands in the way of. */
  readonly mistakes: readonly Mistake[];
}

/**
 * Compares what a GitRepo's files define with the ImageScans of the cluster. An ImageScan is known by the label and its tagName, never by
 * a place in a file. One that no file defines any more goes, unless its definition may only be hidden by a mistake.
 *
 * @param scans all ImageScans of the cluster, of both groups
 */
export function planScans(owner: Owner, defined: Defined, scans: Iterable<StoredScan>): Plan {
  const found = sortOut(owner, scans);
  const matches = matchScans(owner, defined.definitions, found.own);
  const operations: Operation[] = [];
  const mistakes: Mistake[] = [];
  for (const definition of defined.definitions) {
    const { tagName } = definition;
    const scan = matches.get(tagName);
    const foreign = found.foreign.get(tagName);
    const fleets = isFleets(owner, definition) ? found.fleets.get(tagName) : undefined;
    if (foreign !== undefined) mistakes.push(clash(definition, foreign));
    else if (scan !== undefined && fleets !== undefined && isSuperseded(scan, fleets))
      operations.push({ kind: 'remove', scan });
    else if (scan !== undefined) operations.push(...change(owner, definition, scan));
    else if (fleets === undefined)
      operations.push({ kind: 'create', definition, names: namesFor(owner.name, tagName) });
  }
  const matched = new Set(matches.values());
  const isHidden = hidden(defined);
  for (const scan of found.own) {
    if (matched.has(scan) || isGoing(scan)) continue;
    const file = fileOf(scan);
    // One that bears the label alone was made by others: until a file defines it, it is theirs.
    if (file !== undefined && !isHidden(scan, file)) operations.push({ kind: 'remove', scan });
  }
  return { operations, mistakes };
}

/** Does an ImageScan bear the label of a GitRepo's definitions? */
export function isDefinedBy({ namespace, name }: Owner, scan: StoredScan): boolean {
  return (
    scan.group === OWN_GROUP &&
    scan.namespace === namespace &&
    scan.metadata.labels[DEFINED_BY_LABEL] === labelFor(name)
  );
}

interface SortedOut {
  /** Those of the GitRepo's definitions, by name. */
  readonly own: readonly StoredScan[];
  /** By tagName, those of ours that serve the GitRepo's markers and are none of its definitions. */
  readonly foreign: ReadonlyMap<string, StoredScan>;
  /** By tagName, those of Fleet's that are for the GitRepo. */
  readonly fleets: ReadonlyMap<string, StoredScan>;
}

function sortOut(owner: Owner, scans: Iterable<StoredScan>): SortedOut {
  const own: StoredScan[] = [];
  const foreign = new Map<string, StoredScan>();
  const fleets = new Map<string, StoredScan>();
  for (const scan of scans) {
    if (scan.namespace !== owner.namespace) continue;
    const { gitrepoName } = scan.spec;
    if (isDefinedBy(owner, scan)) own.push(scan);
    else if (scan.group === FLEET_GROUP && gitrepoName === owner.name) fleets.set(tagNameOf(scan), scan);
    else if (scan.group === OWN_GROUP && (!gitrepoName || gitrepoName === owner.name))
      foreign.set(tagNameOf(scan), scan);
  }
  return { own: own.toSorted((a, b) => (a.name < b.name ? -1 : 1)), foreign, fleets };
}

/**
 * Which ImageScan stands for which definition, by tagName. One whose tagName somebody changed is known by the name that it was created
 * with, as no other definition gives it.
 */
function matchScans(
  owner: Owner,
  definitions: readonly Definition[],
  own: readonly StoredScan[],
): ReadonlyMap<string, StoredScan> {
  const byTagName = Map.groupBy(own, tagNameOf);
  const matches = new Map<string, StoredScan>();
  const open: { readonly tagName: string; readonly names: readonly string[] }[] = [];
  for (const { tagName } of definitions) {
    const names = namesFor(owner.name, tagName);
    const candidates = byTagName.get(tagName) ?? [];
    const scan = candidates.find(({ name }) => names.includes(name)) ?? candidates[0];
    if (scan === undefined) open.push({ tagName, names });
    else matches.set(tagName, scan);
  }
  const matched = new Set(matches.values());
  const left = new Map(own.filter((scan) => !matched.has(scan)).map((scan) => [scan.name, scan]));
  for (const { tagName, names } of open) {
    const scan = names.map((name) => left.get(name)).find((each) => each !== undefined);
    if (scan !== undefined) matches.set(tagName, scan);
  }
  return matches;
}

function change(owner: Owner, definition: Definition, scan: StoredScan): Operation[] {
  const patch = isGoing(scan) ? undefined : scanPatch(owner, definition, scan);
  return patch === undefined ? [] : [{ kind: 'change', definition, scan, patch }];
}

/** Tells of an ImageScan without a definition, that had one in `file`, whether a mistake may hide it: then it stays. */
function hidden({ mistakes, unread, files }: Defined): (scan: StoredScan, file: string) => boolean {
  const tagNames = new Set(mistakes.map(({ tagName }) => tagName));
  const wrongFiles = new Set([...mistakes, ...unread].map(({ file }) => file));
  // An entry without a tagName, or a file that does not parse: it may be what a file that is gone has become.
  const isAnyUnknown = tagNames.has(undefined);
  return (scan, file) =>
    tagNames.has(tagNameOf(scan)) || wrongFiles.has(file) || (isAnyUnknown && !files.has(file));
}

/** Is it one that `fleet apply` makes an ImageScan of Fleet's of, where Fleet's own image scan is on? */
function isFleets({ group }: Owner, { file }: Definition): boolean {
  return group === FLEET_GROUP && isFleetFile(file);
}

/** Has Fleet's taken over? What was made of one of Fleet's by a migration, or when Fleet's kind went, stays. */
function isSuperseded(scan: StoredScan, fleets: StoredScan): boolean {
  const isSuccessor = scan.metadata.annotations[FROM_FLEET_ANNOTATION] !== undefined;
  return !isSuccessor && !isGoing(scan) && toScan(fleets).inForce !== undefined;
}

function clash({ file, line, tagName }: Definition, foreign: StoredScan): Mistake {
  const message = `ImageScan ${foreign.name}, which somebody else made, has the tagName ${oneLine(tagName)} and serves this GitRepo, too: delete it, or change one of the two`;
  return { file, line, tagName, message };
}

/** Is it being deleted? */
export function isGoing({ metadata }: StoredScan): boolean {
  return metadata.deletionTimestamp !== undefined;
}

/** What markers call it. */
export function tagNameOf(scan: StoredScan): string {
  return scan.spec.tagName || scan.name;
}
