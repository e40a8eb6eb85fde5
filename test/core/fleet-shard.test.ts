import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { applyPatch } from 'rfc6902';
import {
  FORMER_SHARD_ANNOTATION,
  giveBack,
  type Labelled,
  metadataOperations,
  OWN_SHARD,
  SHARD_LABEL,
  takeOver,
} from '../../core/fleet-shard.ts';
import { mergePatch } from '../fakes/merge-patch.ts';

const texts = (...keys: string[]): fc.Arbitrary<Record<string, string> | null | undefined> =>
  fc.option(
    fc.oneof(
      fc.constant(undefined),
      fc.dictionary(
        fc.oneof(fc.constantFrom(...keys, 'a~b/c', '__proto__', 'fleet.cattle.io/commit'), fc.string()),
        fc.oneof(fc.constantFrom(OWN_SHARD, 'shard-a', ''), fc.string()),
      ),
    ),
  );
const metadata: fc.Arbitrary<Labelled> = fc.record({
  labels: texts(SHARD_LABEL),
  annotations: texts(FORMER_SHARD_ANNOTATION),
});

/** Metadata with no difference between what is null, what is empty and what is absent, as the API server stores it. */
function stored({ labels, annotations }: Labelled): Labelled {
  const orNone = (entries: Labelled['labels']) =>
    Object.keys(entries ?? {}).length === 0 ? undefined : { ...entries };
  return { labels: orNone(labels), annotations: orNone(annotations) };
}

function patched(before: Labelled, change: ReturnType<typeof takeOver>): Labelled {
  const object = { metadata: structuredClone(before) };
  const operations = change === undefined ? [] : metadataOperations(before, change);
  for (const failure of applyPatch(object, operations)) assert.equal(failure, null);
  return stored(object.metadata);
}

function merged(before: Labelled, change: ReturnType<typeof giveBack>): Labelled {
  return stored(mergePatch({ ...before }, { ...change }));
}

/** What is not ours to change. */
function others({ labels, annotations }: Labelled): unknown {
  const { [SHARD_LABEL]: _shard, ...restOfLabels } = labels ?? {};
  const { [FORMER_SHARD_ANNOTATION]: _former, ...restOfAnnotations } = annotations ?? {};
  return [restOfLabels, restOfAnnotations];
}

describe("the shard of Fleet's ImageScans", () => {
  const former: [before: Labelled, annotations: Record<string, string> | undefined, why: string][] = [
    [{}, undefined, 'an object with nothing'],
    [
      { labels: { [SHARD_LABEL]: 'shard-a' } },
      { [FORMER_SHARD_ANNOTATION]: 'shard-a' },
      'one of another shard',
    ],
    [{ labels: { [SHARD_LABEL]: '' } }, { [FORMER_SHARD_ANNOTATION]: '' }, 'one of the shard with no name'],
    [
      { labels: { [SHARD_LABEL]: 'shard-b' }, annotations: { [FORMER_SHARD_ANNOTATION]: 'shard-a' } },
      { [FORMER_SHARD_ANNOTATION]: 'shard-b' },
      'one whose writer names another shard than before',
    ],
    [
      { annotations: { [FORMER_SHARD_ANNOTATION]: 'shard-a', note: 'x' } },
      { note: 'x' },
      'one whose writer names no shard any more',
    ],
  ];
  for (const [before, annotations, why] of former) {
    it(`becomes ours, and the former one is kept as its writer last gave it: ${why}`, () => {
      assert.deepEqual(patched(before, takeOver(before)), {
        labels: { [SHARD_LABEL]: OWN_SHARD },
        annotations,
      });
    });
  }

  it('is ours already: nothing is changed, also not what was kept', () => {
    const labels = { [SHARD_LABEL]: OWN_SHARD };
    assert.equal(takeOver({ labels, annotations: { [FORMER_SHARD_ANNOTATION]: 'shard-a' } }), undefined);
  });

  it('is given back only where it is ours', () => {
    const annotations = { [FORMER_SHARD_ANNOTATION]: 'shard-a' };
    assert.equal(giveBack({ annotations }), undefined);
    assert.equal(giveBack({ labels: { [SHARD_LABEL]: 'shard-b' }, annotations }), undefined);
  });

  for (const unfit of ['no label!', '-a', 'a-', 'x'.repeat(64), 'ä', 'a\n']) {
    it(`is none after ${JSON.stringify(unfit.slice(0, 10))} was written over what was kept, which no label can be`, () => {
      const before = {
        labels: { [SHARD_LABEL]: OWN_SHARD },
        annotations: { [FORMER_SHARD_ANNOTATION]: unfit },
      };
      assert.deepEqual(merged(before, giveBack(before)), { labels: undefined, annotations: undefined });
    });
  }

  it('is taken by a patch that applies to any metadata, leaves all else alone, and is empty the next time', () => {
    fc.assert(
      fc.property(metadata, (before) => {
        const after = patched(before, takeOver(before));
        assert.equal(after.labels?.[SHARD_LABEL], OWN_SHARD);
        assert.deepEqual(others(after), others(before));
        assert.equal(takeOver(after), undefined);
      }),
      { numRuns: 1000 },
    );
  });

  it('is taken by the same change as a merge patch', () => {
    fc.assert(
      fc.property(metadata, (before) =>
        assert.deepEqual(merged(before, takeOver(before)), patched(before, takeOver(before))),
      ),
    );
  });

  it('is after taking and giving back what it was', () => {
    const shard = fc.constantFrom(undefined, 'shard-a', '', 'x'.repeat(63));
    fc.assert(
      fc.property(metadata, shard, ({ labels, annotations }, value) => {
        const { [SHARD_LABEL]: _, ...rest } = labels ?? {};
        const { [FORMER_SHARD_ANNOTATION]: __, ...notes } = annotations ?? {};
        const before = {
          labels: value === undefined ? rest : { ...rest, [SHARD_LABEL]: value },
          annotations: notes,
        };
        const taken = patched(before, takeOver(before));
        assert.deepEqual(merged(taken, giveBack(taken)), stored(before));
      }),
    );
  });
});
