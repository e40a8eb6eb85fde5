import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { DEFINED_AT_ANNOTATION, DEFINED_BY_LABEL } from '../../../kube/kinds/defined.ts';
import { FROM_FLEET_ANNOTATION } from '../../../kube/kinds/from-fleet.ts';
import type { Defined } from '../../../reconciler/definitions/definition.ts';
import { labelFor } from '../../../reconciler/definitions/names.ts';
import type { Owner } from '../../../reconciler/definitions/object.ts';
import { planScans } from '../../../reconciler/definitions/plan.ts';
import { parseStoredScan, type StoredScan } from '../../../reconciler/stores.ts';
import { mergePatch } from '../../fakes/merge-patch.ts';
import { imageScan } from '../samples.ts';
import { afterPlan, define, entries, FLEETS_OWNER, fleetScan, foreignScan, OWNER } from './samples.ts';

/** The operations, one line each. */
function operations(owner: Owner, defined: Defined, scans: readonly StoredScan[]): string[] {
  return planScans(owner, defined, scans).operations.map((operation) => {
    if (operation.kind === 'create') return `create ${operation.names[0]}`;
    return `${operation.kind} ${operation.scan.name}`;
  });
}

const patched = (scan: StoredScan | undefined, patch: object): StoredScan =>
  parseStoredScan(mergePatch(scan ?? {}, { ...patch }));

describe('planScans', () => {
  it('creates what is defined, with the GitRepo as its owner', () => {
    const [web] = afterPlan(OWNER, define({ 'a/fleet.yaml': entries('web') }), []);
    assert.equal(web?.name, 'apps-web');
    assert.deepEqual(web.spec, { image: 'ghcr.io/acme/web', tagName: 'web', gitrepoName: 'apps' });
    assert.deepEqual(web.metadata.labels, { [DEFINED_BY_LABEL]: 'apps' });
    assert.equal(web.metadata.annotations[DEFINED_AT_ANNOTATION], 'a/fleet.yaml:2');
    const reference = { apiVersion: 'fleetscan.io/v1alpha1', kind: 'GitRepo', name: 'apps' };
    assert.deepEqual(web.metadata.ownerReferences, [{ ...reference, uid: 'uid-of-apps' }]);
  });

  it('removes what is defined no more, and tells it from what it does not own', () => {
    const scans = [
      ...afterPlan(OWNER, define({ 'fleet.yaml': entries('web', 'db') }), []),
      foreignScan('by-hand', { gitrepoName: 'apps', tagName: 'gone' }),
      imageScan({ metadata: { name: 'others', labels: { [DEFINED_BY_LABEL]: 'other' } } }),
      imageScan({
        metadata: { namespace: 'elsewhere', name: 'apps-x', labels: { [DEFINED_BY_LABEL]: 'apps' } },
      }),
      imageScan({ metadata: { name: 'labelled', labels: { [DEFINED_BY_LABEL]: 'apps' } } }),
      fleetScan('old'),
    ];
    assert.deepEqual(operations(OWNER, define({ 'fleet.yaml': entries('web') }), scans), ['remove apps-db']);
    assert.deepEqual(operations(OWNER, define({}), scans), ['remove apps-db', 'remove apps-web']);
  });

  it('removes nothing whose definition a mistake may hide', () => {
    const files = { 'a/fleet.yaml': entries('web', 'db'), 'b/fleet.yaml': entries('api') };
    const scans = afterPlan(OWNER, define(files), []);
    const hiding = {
      'the file that had it does not parse': { ...files, 'a/fleet.yaml': 'imageScans: [' },
      'its entry is wrong': { ...files, 'a/fleet.yaml': 'imageScans: [{tagName: db, image: UPPER}]' },
      'its entry was moved, and is wrong': {
        'a/fleet.yaml': entries('web'),
        'b/fleet.yaml': `${entries('api')}- {tagName: db, image: UPPER}\n`,
      },
      'its file was moved, and does not parse': { 'b/fleet.yaml': entries('api'), 'c/fleet.yaml': 'x: [' },
    };
    for (const [what, texts] of Object.entries(hiding))
      assert.doesNotMatch(operations(OWNER, define(texts), scans).join(), /remove/, what);

    const elsewhere = { 'a/fleet.yaml': entries('web'), 'b/fleet.yaml': 'imageScans: {}' };
    assert.deepEqual(operations(OWNER, define(elsewhere), scans), ['remove apps-db']);
  });

  it('keeps what an unread file had', () => {
    const scans = afterPlan(OWNER, define({ 'fleet.yaml': entries('web') }), []);
    const unread = { ...define({}), unread: [{ file: 'fleet.yaml', message: 'a symbolic link' }] };
    assert.deepEqual(operations(OWNER, { ...unread, files: new Set(['fleet.yaml']) }, scans), []);
  });

  it('gives a field to the file that has it, and leaves all others to people', () => {
    const file = (fields: string) => define({ 'fleet.yaml': `imageScans:\n- {tagName: web, ${fields}}\n` });
    const first = 'image: ghcr.io/acme/web, policy: {semver: {range: 1.x}}, platforms: [linux/amd64]';
    const [web] = afterPlan(OWNER, file(first), []);
    const touched = patched(web, {
      metadata: { annotations: { 'fleetscan.io/scan-requested-at': 'now' } },
      spec: {
        pin: { tag: '1.0.0' },
        suspend: true,
        exclude: ['rc'],
        policy: { semver: { range: '2.x', versions: 'Strict' } },
      },
    });
    const [again] = afterPlan(OWNER, file(first), [touched]);
    assert.deepEqual(again?.spec, {
      ...web?.spec,
      pin: { tag: '1.0.0' },
      suspend: true,
      exclude: ['rc'],
    });
    assert.equal(again?.metadata.annotations['fleetscan.io/scan-requested-at'], 'now');

    const [changed] = afterPlan(OWNER, file('image: ghcr.io/acme/web, policy: {newest: {}}'), [touched]);
    assert.deepEqual(changed?.spec.policy, { newest: {} });
    assert.equal(changed?.spec.platforms, undefined);
    assert.deepEqual(changed?.spec.pin, { tag: '1.0.0' });
  });

  it('adopts what bears the label: without an owner, or with another GitRepo as such', () => {
    const defined = define({ 'fleet.yaml': entries('web') });
    const [web] = afterPlan(OWNER, defined, []);
    const other = { apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: 'x' };
    const former = {
      apiVersion: 'fleet.cattle.io/v1alpha1',
      kind: 'GitRepo',
      name: 'apps',
      uid: 'former',
    };
    for (const ownerReferences of [undefined, [], [former], [other, former]]) {
      const scan = patched(web, { metadata: { ownerReferences: ownerReferences ?? null } });
      assert.deepEqual(operations(OWNER, defined, [scan]), ['change apps-web']);
      const [adopted] = afterPlan(OWNER, defined, [scan]);
      const kept = (ownerReferences ?? []).filter((each) => each === other);
      assert.deepEqual(adopted?.metadata.ownerReferences, [
        ...kept,
        ...(web?.metadata.ownerReferences ?? []),
      ]);
    }
  });

  it('makes a changed tagName right on the same object', () => {
    const defined = define({ 'fleet.yaml': entries('web', 'db') });
    const [web, db] = afterPlan(OWNER, defined, []);
    for (const tagName of ['other', 'db', null]) {
      const scans = [patched(web, { spec: { tagName } }), ...(db ? [db] : [])];
      assert.deepEqual(operations(OWNER, defined, scans), ['change apps-web']);
    }
  });

  it('leaves an ImageScan that a person made alone, and names it', () => {
    const defined = define({ 'fleet.yaml': entries('web', 'db') });
    for (const spec of [
      { gitrepoName: 'apps', tagName: 'web' },
      { gitrepoName: 'apps' },
      { tagName: 'web' },
    ]) {
      const plan = planScans(OWNER, defined, [foreignScan('web', spec)]);
      assert.deepEqual(
        plan.mistakes.map(({ file, line, tagName }) => [file, line, tagName]),
        [['fleet.yaml', 2, 'web']],
      );
      assert.match(plan.mistakes[0]?.message ?? '', /ImageScan web, which somebody else made/);
      assert.equal(plan.operations.length, 1);
    }
    const plan = planScans(OWNER, defined, [foreignScan('web', { gitrepoName: 'other' })]);
    assert.deepEqual([plan.mistakes.length, plan.operations.length], [0, 2]);
  });

  it('looks at no other namespace', () => {
    const elsewhere = { metadata: { namespace: 'elsewhere' } };
    const defined = define({ 'fleet.yaml': entries('web') });
    const far = [
      patched(foreignScan('web', { gitrepoName: 'apps' }), elsewhere),
      ...afterPlan(OWNER, defined, []).map((scan) => patched(scan, elsewhere)),
    ];
    const plan = planScans(OWNER, defined, far);
    assert.deepEqual([plan.mistakes.length, plan.operations.map(({ kind }) => kind)], [0, ['create']]);
  });

  it('takes none of Fleet for its own, though fleet apply gives that any label', () => {
    const metadata = {
      labels: { [DEFINED_BY_LABEL]: 'apps' },
      annotations: { [DEFINED_AT_ANNOTATION]: 'fleet.yaml:2' },
    };
    const old = fleetScan('old');
    const labelled = { ...old, metadata: { ...old.metadata, ...metadata } };
    assert.deepEqual(operations(FLEETS_OWNER, define({}), [labelled]), []);
  });

  it('knows of two with one tagName the one that bears the name of the definition', () => {
    const defined = define({ 'fleet.yaml': entries('web') });
    const [web] = afterPlan(OWNER, defined, []);
    const twin = patched(web, { metadata: { name: 'a-copy', uid: 'another' } });
    assert.deepEqual(operations(OWNER, defined, [twin, ...(web ? [web] : [])]), ['remove a-copy']);
  });

  it('does nothing to what is being deleted', () => {
    const defined = define({ 'fleet.yaml': entries('web') });
    const [web] = afterPlan(OWNER, defined, []);
    const going = patched(web, {
      metadata: { deletionTimestamp: '2026-01-02T03:04:05Z' },
      spec: { image: 'x' },
    });
    assert.deepEqual(operations(OWNER, defined, [going]), []);
    assert.deepEqual(operations(OWNER, define({}), [going]), []);
  });

  describe('of a GitRepo of Fleet', () => {
    const inFleetYaml = define({ 'fleet.yaml': entries('web') });

    it('creates none where fleet apply has made one of Fleet', () => {
      assert.deepEqual(operations(FLEETS_OWNER, inFleetYaml, []), ['create apps-web']);
      assert.deepEqual(operations(FLEETS_OWNER, inFleetYaml, [fleetScan('web')]), []);
      assert.deepEqual(operations(FLEETS_OWNER, inFleetYaml, [fleetScan('other')]), ['create apps-web']);
    });

    it('removes one of ours when that of Fleet has a value, not before', () => {
      const ours = afterPlan(FLEETS_OWNER, inFleetYaml, []);
      assert.deepEqual(operations(FLEETS_OWNER, inFleetYaml, [...ours, fleetScan('web')]), []);
      const valued = [...ours, fleetScan('web', '1.0.0')];
      assert.deepEqual(operations(FLEETS_OWNER, inFleetYaml, valued), ['remove apps-web']);
    });

    it('does not remove again what is going', () => {
      const [ours] = afterPlan(FLEETS_OWNER, inFleetYaml, []);
      const going = patched(ours, { metadata: { deletionTimestamp: '2026-01-02T03:04:05Z' } });
      assert.deepEqual(operations(FLEETS_OWNER, inFleetYaml, [going, fleetScan('web', '1.0.0')]), []);
    });

    it('keeps one of ours that stands for one of Fleet that was migrated', () => {
      const [ours] = afterPlan(FLEETS_OWNER, inFleetYaml, []);
      const migrated = patched(ours, { metadata: { annotations: { [FROM_FLEET_ANNOTATION]: 'x' } } });
      assert.deepEqual(operations(FLEETS_OWNER, inFleetYaml, [migrated, fleetScan('web', '1.0.0')]), []);
    });

    it('makes those of fleetscan.yaml, and those of a GitRepo of ours, in any case', () => {
      const valued = [fleetScan('web', '1.0.0')];
      const inOurFile = define({ 'fleetscan.yaml': entries('web') });
      assert.deepEqual(operations(FLEETS_OWNER, inOurFile, valued), ['create apps-web']);
      assert.deepEqual(operations(OWNER, inFleetYaml, valued), ['create apps-web']);
    });
  });
});

const tagName = fc.constantFrom('web', 'db', 'api', 'Web', 'a/b', 'a b', 'ü', 'x'.repeat(300), '__proto__');
const entry = fc.record({
  tagName,
  image: fc.constantFrom('ghcr.io/acme/web', 'nginx'),
  fields: fc.constantFrom('', ', interval: 5m', ', suspend: true', ', policy: {newest: {}}', ', tags: x'),
});
type Entry = { readonly tagName: string; readonly image: string; readonly fields: string };

const fileText = (list: readonly Entry[]): string =>
  `imageScans:\n${list.map((each) => `- {tagName: ${JSON.stringify(each.tagName)}, image: ${each.image}${each.fields}}\n`).join('')}`;
const texts = fc
  .dictionary(
    fc.constantFrom('fleet.yaml', 'a/fleet.yaml', 'a/fleetscan.yaml', 'b/fleet.yaml'),
    fc.oneof(
      { weight: 5, arbitrary: fc.array(entry, { maxLength: 4 }).map(fileText) },
      fc.constantFrom('imageScans: {a: 1}\n', 'x: [\n', 'imageScans:\n- {image: a/b}\n'),
    ),
    { noNullPrototype: true },
  )
  .map(define);
const owner = fc.constantFrom(OWNER, FLEETS_OWNER);
const others = fc.uniqueArray(
  fc.constantFrom(
    foreignScan('apps-web', { gitrepoName: 'other' }),
    foreignScan('db', { gitrepoName: 'apps' }),
    foreignScan('mine', { tagName: 'api' }),
    fleetScan('web'),
    fleetScan('api', '1.0.0'),
  ),
);

describe('any plan', () => {
  it('is done when it is carried out: planned again, nothing is left', () => {
    fc.assert(
      fc.property(owner, texts, texts, others, (by, former, defined, scans) => {
        const after = afterPlan(by, defined, afterPlan(by, former, scans));
        const again = planScans(by, defined, after);
        // One of Fleet's that has a value makes one of ours go, of which the next run then finds none to make.
        assert.deepEqual(again.operations, []);
      }),
    );
  });

  it('touches nothing that does not bear the label', () => {
    fc.assert(
      fc.property(owner, texts, texts, others, (by, former, defined, scans) => {
        const before = afterPlan(by, former, scans);
        for (const operation of planScans(by, defined, before).operations) {
          if (operation.kind === 'create') continue;
          assert.equal(operation.scan.metadata.labels[DEFINED_BY_LABEL], labelFor(by.name));
        }
        const after = afterPlan(by, defined, before);
        for (const scan of scans) assert.ok(after.includes(scan));
      }),
    );
  });

  it('has but the places to change when entries and files change theirs', () => {
    const placed = fc
      .uniqueArray(entry, { selector: (each) => each.tagName, minLength: 1 })
      .filter((list) => list.every(({ fields }) => fields !== ', tags: x'))
      .chain((list) => {
        const shuffled = fc.shuffledSubarray(list, { minLength: list.length });
        const file = fc.array(fc.constantFrom('a/fleetscan.yaml', 'b/fleetscan.yaml'), {
          minLength: list.length,
          maxLength: list.length,
        });
        return fc.record({ list: fc.constant(list), shuffled, file });
      });
    fc.assert(
      fc.property(placed, ({ list, shuffled, file }) => {
        const spread = Map.groupBy(shuffled, (each) => file[shuffled.indexOf(each)] ?? '');
        const after = define(Object.fromEntries([...spread].map(([path, each]) => [path, fileText(each)])));
        const scans = afterPlan(OWNER, define({ 'fleetscan.yaml': fileText(list) }), []);
        for (const operation of planScans(OWNER, after, scans).operations) {
          assert.ok(operation.kind === 'change');
          assert.equal(operation.patch.spec, undefined);
          assert.deepEqual(Object.keys(operation.patch.metadata), ['uid', 'annotations']);
        }
        const named = (each: readonly StoredScan[]) => each.map(({ name, spec }) => [name, spec]);
        assert.deepEqual(named(afterPlan(OWNER, after, scans)), named(scans));
      }),
    );
  });
});
