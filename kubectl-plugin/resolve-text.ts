import { type Decision, decide } from '../core/decision.ts';
import { imageOperations } from '../core/patch.ts';
import { podImages } from '../core/pod.ts';
import { isRequired, isUnresolved, keptWarning, whyDenied } from '../core/required.ts';
import { type Edit, editMarkers } from '../core/yaml/edit.ts';
import type { Splice } from '../core/yaml/scalar.ts';
import { type FilePod, podsIn } from '../core/yaml/workload.ts';
import type { Find } from '../write-back/fleet-values.ts';
import type { Scans } from './scan-values.ts';

/** Something to tell of a manifest. */
export interface Remark {
  /** Counted from 1. */
  readonly line?: number;
  /** `error`: the webhook would reject the pods. */
  readonly severity: 'warning' | 'error';
  readonly message: string;
}

/** What one text became. */
export interface Resolved {
  readonly text: string;
  readonly edits: readonly Edit[];
  readonly images: readonly ImageChange[];
  readonly remarks: readonly Remark[];
}

/** An image that a marker annotation gives to a pod. */
export interface ImageChange {
  readonly line: number;
  readonly from: string;
  readonly to: string;
  readonly scan: string;
}

type Lookups = Pick<Scans, 'book' | 'home'>;

const WARNING_LENGTH = 1000;

/**
 * Brings the values beside comment markers up to date, as write-back does; all other bytes stay.
 *
 * @param find looks up a marker of a comment
 */
export function resolveComments(text: string, find: Find): Resolved {
  const result = editMarkers(text, find);
  const remarks = result.leftAlone.map(({ line, reason, message }): Remark => {
    return { line, severity: 'warning', message: `marker left alone: ${reason}: ${message}` };
  });
  return { text: result.text, edits: result.edits, images: [], remarks };
}

/**
 * Makes manifests as write-back and the webhook would: comment markers first, then the annotations of each pod and pod template
 * by the rules of admission. Only images change. A pod's namespace is its own, or else the one that markers are looked up in.
 *
 * @param find looks up a marker of a comment; those of annotations are looked up in `lookups`
 * @param now the time of admission
 */
export function resolveManifests(text: string, find: Find, lookups: Lookups, now: Date): Resolved {
  const written = resolveComments(text, find);
  const splices = new Map<number, Splice>();
  const remarks = [...written.remarks];
  const images: ImageChange[] = [];
  for (const filePod of podsIn(written.text)) {
    if (!('pod' in filePod)) {
      remarks.push({ ...filePod, severity: 'warning' });
      continue;
    }
    const decisions = decisionsOn(filePod, lookups, now);
    remarks.push(...remarksOn(filePod, decisions));
    for (const { path, ...operation } of imageOperations(decisions)) {
      const image = 'value' in operation ? String(operation.value) : '';
      const splice = filePod.imageSplice(path, image);
      const other = splice && splices.get(splice.start);
      if (splice === undefined || (other !== undefined && other.text !== splice.text)) {
        remarks.push({ line: filePod.line, severity: 'error', message: notReached(filePod, path, image) });
      } else splices.set(splice.start, splice);
    }
    images.push(...changesOf(filePod, decisions));
  }
  return { text: spliced(written.text, [...splices.values()]), edits: written.edits, images, remarks };
}

function decisionsOn({ pod, object }: FilePod, { book, home }: Lookups, now: Date): Decision[] {
  const namespace = object.namespace ?? home.namespace;
  return decide({ pod, namespace, images: podImages(pod), scans: book, now });
}

function remarksOn({ pod, line }: FilePod, decisions: readonly Decision[]): Remark[] {
  const unresolved = decisions.filter(isUnresolved);
  if (isRequired(pod) && unresolved.length > 0)
    return [{ line, severity: 'error', message: whyDenied(unresolved, WARNING_LENGTH) }];
  return decisions
    .filter((decision) => decision.kind === 'kept')
    .map((kept) => ({ line, severity: 'warning', message: keptWarning(kept, WARNING_LENGTH) }));
}

function changesOf({ line }: FilePod, decisions: readonly Decision[]): ImageChange[] {
  return decisions
    .filter((decision) => decision.kind === 'resolved')
    .filter(({ image, to }) => image.image !== to)
    .map(({ image, to, resolution }) => ({ line, from: image.image, to, scan: resolution.scan }));
}

function notReached({ object }: FilePod, path: string, image: string): string {
  return `${object.kind} ${object.name}: ${path} has no place of its own in the text, so it cannot become ${image}; write the image out`;
}

function spliced(text: string, splices: readonly Splice[]): string {
  let at = 0;
  const parts: string[] = [];
  for (const { start, end, text: replacement } of splices.toSorted((a, b) => a.start - b.start)) {
    parts.push(text.slice(at, start), replacement);
    at = end;
  }
  return parts.join('') + text.slice(at);
}
