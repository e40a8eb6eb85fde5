import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { Marker } from '../../core/marker.ts';
import type { Lookup } from '../../core/scan.ts';
import { blobId, MAX_BLOB } from '../../git/blobs.ts';
import type { Repository } from '../../git/repository.ts';
import { toScan } from '../../kube/kinds/to-scan.ts';
import { KnownBlobs } from '../../write-back/known-blobs.ts';
import { type EditPlan, planEdits } from '../../write-back/plan.ts';
import { DIGEST, imageScan } from '../reconciler/samples.ts';

/** What markers are told, by the name in them: the tag in force, none yet, or no such scan. */
type Values = Readonly<Record<string, string | undefined>>;
type Files = Readonly<Record<string, string>>;

/** A GitRepo whose files and values change between runs, and what each run reads. */
class Runs {
  readonly known = new KnownBlobs();

  async run(files: Files, values: Values): Promise<{ plan: EditPlan; read: string[] }> {
    const read: string[] = [];
    const plan = await planEdits(sourceOf(files, read), 'c0ffee', [], answers(values), this.known);
    return { plan, read };
  }
}

function sourceOf(files: Files, read: string[]): Pick<Repository, 'list' | 'read'> {
  const entries = Object.entries(files).map(([path, content]) => {
    const bytes = Buffer.from(content);
    return { path, mode: '100644' as const, oid: blobId(bytes, 'sha1'), bytes };
  });
  return {
    list: async () => ({ files: entries, others: [] }),
    read: async function* (oids) {
      for (const oid of oids) {
        const entry = entries.find((each) => each.oid === oid)!;
        read.push(entry.path);
        if (entry.bytes.toString() === 'huge') yield { oid, size: MAX_BLOB + 1 };
        else yield { oid, content: entry.bytes };
      }
    },
  };
}

function answers(values: Values): (marker: Marker) => Lookup {
  return ({ readings }) => {
    const reading = readings.at(-1)!;
    if (!(reading.tagName in values)) {
      const message = `no scan ${reading.tagName}`;
      return { kind: 'refused', reason: 'UnknownScan', message };
    }
    const latestTag = values[reading.tagName];
    const status = latestTag && {
      canonicalImageName: 'registry.example/web',
      latestTag,
      latestDigest: DIGEST,
    };
    const metadata = { name: reading.tagName };
    const scan = toScan(imageScan({ metadata, ...(status && { status }) }));
    return { kind: 'found', scan, reading };
  };
}

const line = (tag: string, name: string): string =>
  `image: registry.example/web:${tag} # {"$imagescan": "${name}"}\n`;

describe('what is known of the blobs of a GitRepo', () => {
  const files = { 'a.yaml': line('1', 'web'), 'b.yaml': line('1', 'api'), 'c.yaml': 'c: 1\n', 'd.txt': 'd' };

  it('has a file read once while neither it nor the values that it names change', async () => {
    const runs = new Runs();
    const first = await runs.run(files, { web: '1', api: '1' });
    assert.deepEqual(first.read, ['a.yaml', 'b.yaml', 'c.yaml']);
    const again = await runs.run(files, { web: '1', api: '1' });
    assert.deepEqual(again, { plan: first.plan, read: [] });
    assert.equal(again.plan.markers, 2);
    assert.equal(again.plan.current, 2);
  });

  it('has the files read that name a value which changed, and no others', async () => {
    const runs = new Runs();
    await runs.run(files, { web: '1', api: '1' });
    const { plan, read } = await runs.run(files, { web: '2', api: '1' });
    assert.deepEqual(read, ['a.yaml']);
    assert.deepEqual(
      plan.changes.map(({ path }) => path),
      ['a.yaml'],
    );
    assert.deepEqual({ markers: plan.markers, current: plan.current }, { markers: 2, current: 1 });
    const retried = await runs.run(files, { web: '2', api: '1' });
    assert.deepEqual(retried, { plan, read }, 'a change that did not land is found again');
  });

  it('has a file read that changed, and one that came, and knows a moved one by its content', async () => {
    const runs = new Runs();
    await runs.run(files, { web: '1', api: '1' });
    const next = {
      'a.yaml': line('0', 'web'),
      'moved.yaml': files['b.yaml'],
      'new.yaml': '',
      'c.yaml': 'c: 1\n',
    };
    assert.deepEqual((await runs.run(next, { web: '1', api: '1' })).read, ['a.yaml', 'new.yaml']);
  });

  it('holds nothing of files that are gone', async () => {
    const runs = new Runs();
    await runs.run(files, { web: '1', api: '1' });
    await runs.run({}, { web: '1', api: '1' });
    assert.equal((await runs.run(files, { web: '1', api: '1' })).read.length, 3);
  });

  it('names what is left alone in every run', async () => {
    const runs = new Runs();
    const odd = {
      'gone.yaml': line('1', 'gone'),
      'huge.yaml': 'huge',
      'lfs.yaml': 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 1\n',
      'none.yaml': line('1', 'none'),
    };
    const first = await runs.run(odd, { none: undefined });
    assert.deepEqual(
      first.plan.leftAlone.map(({ file, reason }) => [file, reason]),
      [
        ['gone.yaml', 'UnknownScan'],
        ['huge.yaml', 'TooLarge'],
        ['lfs.yaml', 'LFSPointer'],
        ['none.yaml', 'NoValue'],
      ],
    );
    assert.deepEqual(await runs.run(odd, { none: undefined }), { plan: first.plan, read: [] });
    const { plan, read } = await runs.run(odd, { none: '1', gone: '2' });
    assert.deepEqual(read, ['gone.yaml', 'none.yaml']);
    assert.equal(plan.leftAlone.length, 2);
    assert.equal(plan.changes.length, 1);
  });

  it('never changes what a run finds', async () => {
    const name = fc.constantFrom('web', 'api', 'gone:tag', 'none');
    const text = fc.oneof(
      fc.tuple(fc.constantFrom('1', '2'), name).map(([tag, of]) => line(tag, of)),
      fc
        .array(fc.tuple(fc.constantFrom('1', '2'), name).map(([tag, of]) => `- ${line(tag, of)}`))
        .map((all) => all.join('')),
      fc.constantFrom('huge', 'a: 1\n', 'a: [ # {"$imagescan": "web"}\n', 'x: y # {"$imagescan": 1}\n'),
    );
    const state = fc.record({
      files: fc.dictionary(fc.constantFrom('a.yaml', 'b.yaml', 'c/d.yml'), text),
      values: fc.dictionary(fc.constantFrom('web', 'api', 'none'), fc.constantFrom('1', '2', undefined)),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(state, { maxLength: 6 }), async (states) => {
        const runs = new Runs();
        for (const { files, values } of states) {
          const { plan } = await runs.run(files, values);
          const fresh = await planEdits(sourceOf(files, []), 'c0ffee', [], answers(values));
          assert.deepEqual(plan, fresh);
        }
      }),
    );
  });
});
