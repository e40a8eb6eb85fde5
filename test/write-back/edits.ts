import { OWN_GROUP } from '../../core/group.ts';
import { canonicalName, parseReference } from '../../core/reference.ts';
import type { Scan } from '../../core/scan.ts';
import type { CommitData } from '../../write-back/message-data.ts';
import type { FileEdit } from '../../write-back/plan.ts';

/** `sha256:` and 64 times one hexadecimal digit. */
export const digest = (digit: string): string => `sha256:${digit.repeat(64)}`;

/** A scan that has `image`, a name with a tag, in force. */
export function scanOf(image: string, ofDigest = digest('a')): Scan {
  const reference = parseReference(image);
  const name = image.slice(image.lastIndexOf('/') + 1, image.lastIndexOf(':'));
  const inForce = {
    name: reference.name,
    canonicalName: canonicalName(reference),
    tag: reference.tag ?? '',
    digest: ofDigest,
  };
  return {
    group: OWN_GROUP,
    namespace: 'team',
    name,
    tagName: name,
    generation: 1,
    exportTo: [],
    history: [],
    inForce,
  };
}

const scan = scanOf('example/web:1.2.4');

/** An edit of `example/web:1.2.3` to `1.2.4` in `web.yaml`, but for what is said otherwise. */
export function editOf(differences: Partial<FileEdit> = {}): FileEdit {
  return {
    file: 'web.yaml',
    line: 19,
    marker: 'web',
    form: 'image',
    before: 'example/web:1.2.3',
    after: 'example/web:1.2.4',
    scan,
    ...differences,
  };
}

const object = { kind: 'Deployment', namespace: 'shop', name: 'web' };
const redis = scanOf('redis:8.0', digest('b'));

/** Two images in three places of two files. */
export const DATA: CommitData = {
  gitRepo: { namespace: 'team', name: 'apps' },
  edits: [
    editOf({ object }),
    editOf({
      object,
      file: 'values.yaml',
      line: 3,
      marker: 'web:tag',
      form: 'tag',
      before: '1.2.3',
      after: '1.2.4',
    }),
    editOf({
      file: 'values.yaml',
      line: 9,
      marker: 'redis',
      before: 'redis:7.4',
      after: 'redis:8.0',
      scan: redis,
    }),
  ],
};
