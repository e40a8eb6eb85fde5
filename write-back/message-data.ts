import { OWN_GROUP } from '../core/group.ts';
import type { ObjectName } from '../core/yaml/object.ts';
import { Dict, Struct } from '../core/template/value.ts';
import { type ImageChange, imageChanges, oldTag, summary } from './image-changes.ts';
import type { FileEdit } from './plan.ts';

/** What a message template speaks of. */
export interface CommitData {
  readonly gitRepo: { readonly namespace: string; readonly name: string };
  readonly edits: readonly FileEdit[];
}

const USE_CHANGED = 'use .Changes or .Images, or .Changed.Objects as Flux has it (docs/commit-messages.md)';

/**
 * The data of a message template: Flux's, by the names that Flux 2.7 and later has for them
 * (https://fluxcd.io/flux/components/image/imageupdateautomations/#message-template), and our own beside it.
 */
export function messageData({ gitRepo, edits }: CommitData): Struct {
  const images = imageChanges(edits);
  const itself = named('the GitRepo', gitRepo);
  return new Struct(
    'the data',
    {
      AutomationObject: itself,
      Changed: fluxChanges(edits),
      Values: new Dict([]),
      GitRepo: itself,
      Changes: edits.map(changeOf),
      Images: images.map(imageOf),
    },
    { text: summary(images), removed: { Updated: USE_CHANGED } },
  );
}

function changeOf(edit: FileEdit): Struct {
  const { name = '', tag = '', digest = '' } = edit.scan.inForce ?? {};
  return new Struct(
    'a change',
    {
      File: edit.file,
      Line: BigInt(edit.line),
      Object: objectOf(edit.object),
      Scan: named('a scan', edit.scan),
      TagName: edit.scan.tagName,
      Old: edit.before,
      New: edit.after,
      OldTag: oldTag(edit),
      NewTag: tag,
      Image: name,
      Digest: digest,
    },
    { text: `${edit.before} -> ${edit.after}` },
  );
}

function imageOf({ value, old }: ImageChange): Struct {
  const { name, tag, digest } = value;
  return new Struct(
    'an image',
    { Name: name, Tag: tag, Digest: digest, Old: old },
    { text: `${name}:${tag}` },
  );
}

function fluxChanges(edits: readonly FileEdit[]): Struct {
  const files = groupBy(edits, ({ file }) => file);
  const changes = new Map(
    edits.map((edit) => [JSON.stringify([edit.before, edit.after, edit.marker]), fluxChange(edit)]),
  );
  return new Struct(
    'Changed',
    {
      FileChanges: new Dict([...files].map(([file, ofFile]) => [file, objectChanges(ofFile)])),
      Objects: objectChanges(edits),
      Changes: [...changes.values()],
    },
    { removed: { ImageResult: USE_CHANGED } },
  );
}

function objectChanges(edits: readonly FileEdit[]): Dict {
  const objects = groupBy(edits, ({ object }) => objectText(object));
  return new Dict(
    Array.from(objects.values(), (ofObject) => [objectOf(ofObject[0]?.object), ofObject.map(fluxChange)]),
  );
}

function fluxChange({ before, after, marker }: FileEdit): Struct {
  return new Struct('a change', { OldValue: before, NewValue: after, Setter: marker });
}

/** False in an `if` where the file holds no Kubernetes object. */
function objectOf(object: ObjectName | undefined): Struct {
  const { kind = '', namespace = '', name = '' } = object ?? {};
  return new Struct(
    'an object',
    { Kind: kind, Namespace: namespace, Name: name },
    { text: objectText(object) },
  );
}

function objectText(object: ObjectName | undefined): string {
  if (object === undefined) return '';
  return [object.kind, object.namespace, object.name].filter(Boolean).join('/');
}

function named(what: string, { namespace, name }: { namespace: string; name: string }): Struct {
  return new Struct(what, { Namespace: namespace, Name: name }, { text: `${namespace}/${name}` });
}

function groupBy(
  edits: readonly FileEdit[],
  keyOf: (edit: FileEdit) => string,
): ReadonlyMap<string, readonly FileEdit[]> {
  return Map.groupBy(edits, keyOf);
}

/** Data of a write-back that might be: what a template is tried with before there is anything to write. */
export const SAMPLE: CommitData = sample();

function sample(): CommitData {
  const digest = `sha256:${'5'.repeat(64)}`;
  const value = { name: 'example/web', canonicalName: 'index.docker.io/example/web', tag: '1.2.4', digest };
  const scan = {
    group: OWN_GROUP,
    namespace: 'team',
    name: 'web',
    tagName: 'web',
    generation: 1,
    exportTo: [],
    inForce: value,
    history: [],
  };
  const object = { kind: 'Deployment', namespace: 'team', name: 'web' };
  const image = {
    marker: 'web',
    form: 'image',
    before: 'example/web:1.2.3',
    after: 'example/web:1.2.4',
  } as const;
  const tag = { marker: 'web:tag', form: 'tag', before: '1.2.3', after: '1.2.4' } as const;
  return {
    gitRepo: { namespace: 'team', name: 'apps' },
    edits: [
      { ...image, file: 'web/deployment.yaml', line: 19, scan, object },
      { ...tag, file: 'web/values.yaml', line: 3, scan },
    ],
  };
}
