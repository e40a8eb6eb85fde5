import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FileContent } from '../../../reconciler/definitions/files.ts';
import { KnownFiles } from '../../../reconciler/definitions/known-files.ts';

const unread: FileContent = { kind: 'unread', message: 'in Git LFS' };
const heavy = (problems: number): FileContent => ({
  kind: 'read',
  scans: [],
  problems: Array.from({ length: problems }, (_, index) => ({ line: index + 1, message: 'no' })),
});

describe('KnownFiles', () => {
  it('knows what it was told, until that is no longer listed', () => {
    const known = new KnownFiles();
    known.set('a', unread);
    known.set('b', heavy(1));
    known.keepOnly(['b', 'c']);
    assert.deepEqual([known.get('a'), known.get('b')], [undefined, heavy(1)]);
  });

  it('remembers no more than its limit, and has room again for what goes', () => {
    const known = new KnownFiles();
    known.set('a', heavy(9998));
    known.set('b', heavy(1));
    assert.equal(known.get('b'), undefined);
    known.set('c', unread);
    assert.equal(known.get('c'), unread);
    known.keepOnly(['c']);
    known.set('b', heavy(9998));
    assert.ok(known.get('b'), 'what went counts no more');
  });
});
