import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { parseAnnotationMarker } from '../../core/marker.ts';
import { type Scan, ScanIndex, scanKey } from '../../core/scan.ts';
import { FLEET_GROUP } from '../../core/group.ts';
import { indexOf, lookUp, scanOf, scanWithoutValue } from './samples.ts';

const everywhere = ['*'];
const ours = scanOf({ name: 'app' });
const fleets = (differences: Partial<Scan>): Scan =>
  scanOf({ group: FLEET_GROUP, tagName: 'app', ...differences });
const fleetsWithoutValue = scanWithoutValue({ group: FLEET_GROUP });
const infra = (differences: Partial<Scan> = {}): Scan => scanOf({ namespace: 'infra', ...differences });

describe('ScanIndex.find', () => {
  const rows: [marker: string, scans: Scan[], expected: string, why: string][] = [
    ['app', [], 'UnknownScan', 'there is none'],
    ['app', [ours], 'team/app image', 'the own one'],
    ['app:tag', [ours], 'team/app tag', 'in the form that is asked for'],
    ['app', [scanOf({ name: 'x', tagName: 'app' })], 'team/x image', 'by its tagName'],
    ['x', [scanOf({ name: 'x', tagName: 'app' })], 'UnknownScan', 'and not by its name'],
    [
      'app:tag',
      [ours, scanOf({ name: 'x', tagName: 'app:tag' })],
      'team/x image',
      'a tagName shadows the form',
    ],
    ['app:tag:tag', [scanOf({ name: 'x', tagName: 'app:tag' })], 'team/x tag', 'which can still be had'],
    ['a~1b', [scanOf({ name: 'x', tagName: 'a/b' })], 'team/x image', 'a tagName with a slash'],
    ['app:foo', [ours], 'UnknownForm', 'the scan is there, so the suffix is at fault'],
    ['app:foo', [], 'UnknownScan', 'no scan either way'],
    [
      'app:foo',
      [scanOf({ name: 'x', tagName: 'app:foo' })],
      'team/x image',
      'a tagName that looks like a form',
    ],
    ['team/app:foo', [ours], 'UnknownForm', 'also with a namespace'],
    ['app', [ours, scanOf({ name: 'x', tagName: 'app' })], 'AmbiguousScan', 'two of one tagName'],
    ['app', [ours, fleets({ name: 'x' })], 'team/app image', 'ours of both groups'],
    [
      'app',
      [scanWithoutValue(), fleets({ name: 'x' })],
      'team/x image',
      "Fleet's while it alone has a value",
    ],
    ['app', [scanWithoutValue(), fleetsWithoutValue], 'team/app image', 'ours when none has'],
    ['app', [fleets({ name: 'x' }), fleets({ name: 'y' })], 'AmbiguousScan', "two of Fleet's"],
    [
      'app',
      [fleets({ name: 'app', exportTo: everywhere, namespace: 'infra' })],
      'infra/app image',
      'of any group',
    ],
    ['app', [ours, infra({ exportTo: everywhere })], 'team/app image', 'the own namespace comes first'],
    ['app', [infra({ exportTo: everywhere })], 'infra/app image', 'then what is exported to it'],
    ['app', [infra({ exportTo: ['te*'] })], 'infra/app image', 'by a pattern'],
    ['app', [infra({ exportTo: ['other', 'team'] })], 'infra/app image', 'any of several'],
    ['app', [infra({ exportTo: ['team-*'] })], 'UnknownScan', 'a pattern that does not match'],
    ['app', [infra({ exportTo: [''] })], 'UnknownScan', 'an empty pattern'],
    ['app', [infra({ exportTo: ['t.am'] })], 'UnknownScan', 'a point is no wildcard'],
    ['app', [infra()], 'UnknownScan', 'not exported: not even its existence is told'],
    [
      'app',
      [infra({ exportTo: everywhere }), scanOf({ namespace: 'lab', exportTo: everywhere })],
      'AmbiguousScan',
      'two namespaces export it',
    ],
    [
      'lab/app',
      [infra({ exportTo: everywhere }), scanOf({ namespace: 'lab', exportTo: everywhere })],
      'lab/app image',
      'unless one is named',
    ],
    [
      'infra/app',
      [ours, infra({ exportTo: ['team'] })],
      'infra/app image',
      'a namespace passes over the own scan',
    ],
    ['infra/app:sha', [infra({ exportTo: ['team'] })], 'infra/app sha', 'in the form that is asked for'],
    ['infra/app', [ours, infra()], 'NotExported', 'named, and refused'],
    ['infra/app:tag', [infra()], 'NotExported', 'likewise with a form'],
    ['infra/app', [ours], 'UnknownScan', 'named, and not there'],
    ['team/app', [ours, infra({ exportTo: everywhere })], 'team/app image', 'the own namespace by name'],
    ['team/app', [infra({ exportTo: everywhere })], 'UnknownScan', 'which then has to have it'],
    ['/app', [ours], 'UnknownScan', 'an empty namespace is none'],
    ['team/', [ours], 'UnknownScan', 'nor is an empty name'],
    ['__proto__', [ours], 'UnknownScan', 'a name that objects have'],
    ['__proto__:tag', [scanOf({ name: 'x', tagName: '__proto__' })], 'team/x tag', 'and a scan may have'],
  ];
  for (const [marker, scans, expected, why] of rows) {
    it(`${marker} among ${scans.map((scan) => `${scanKey(scan)}[${scan.tagName}]`).join(' ') || 'none'}: ${why}`, () =>
      assert.equal(lookUp(indexOf(...scans), marker), expected));
  }

  const forOne = scanOf({ name: 'one', tagName: 'app', gitrepoName: 'one' });
  const forTwo = scanOf({ name: 'two', tagName: 'app', gitrepoName: 'two' });
  const forAll = scanOf({ name: 'all', tagName: 'app' });
  const askers: [gitrepo: string | undefined, scans: Scan[], expected: string, why: string][] = [
    ['one', [forOne, forTwo], 'team/one image', 'each GitRepo has its own'],
    ['two', [forOne, forTwo], 'team/two image', 'each GitRepo has its own'],
    ['three', [forOne, forTwo], 'UnknownScan', 'and no other'],
    ['three', [forOne, forAll], 'team/all image', 'a scan for all serves any'],
    ['one', [forOne, forAll], 'AmbiguousScan', 'two that both serve'],
    [undefined, [forOne], 'team/one image', 'a pod belongs to no GitRepo and gets any'],
    [undefined, [forOne, forTwo], 'AmbiguousScan', 'which must be one'],
    [
      'three',
      [forOne, infra({ exportTo: everywhere })],
      'infra/app image',
      'one for another repository hides nothing',
    ],
  ];
  for (const [gitrepo, scans, expected, why] of askers) {
    it(`app for GitRepo ${gitrepo} among ${scans.map(({ name }) => name).join(' ')}: ${why}`, () =>
      assert.equal(lookUp(indexOf(...scans), 'app', 'team', gitrepo), expected));
  }

  const messages: [marker: string, scans: Scan[], message: string][] = [
    ['web', [ours], 'no scan web in namespace team, and none exported to it'],
    ['web:tag', [ours], 'no scan web in namespace team, and none exported to it'],
    ['infra/web', [ours], 'no scan infra/web'],
    ['infra/app', [infra()], 'scan infra/app is not exported to namespace team'],
    ['app:foo', [ours], '"foo" is no form of a marker; use :name, :tag, :digest, :sha or none'],
    [
      'app',
      ['z', 'y', 'x', 'w'].map((name) => scanOf({ name, tagName: 'app' })),
      '4 scans have the tagName app: team/w, team/x, team/y',
    ],
    ['a\nb\u0007', [], 'no scan a b  in namespace team, and none exported to it'],
    ['a'.repeat(300), [], `no scan ${'a'.repeat(99)}… in namespace team, and none exported to it`],
  ];
  for (const [marker, scans, message] of messages) {
    it(`says "${message.slice(0, 70)}"`, () => {
      const lookup = indexOf(...scans).find(parseAnnotationMarker(marker), { namespace: 'team' });
      assert.equal(lookup.kind === 'refused' && lookup.message, message);
    });
  }
});

describe('patterns of exportTo', () => {
  const matches = (pattern: string, namespace: string): boolean =>
    lookUp(indexOf(infra({ exportTo: [pattern] })), 'app', namespace) !== 'UnknownScan';

  it('match as the regular expression would', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '-'), maxLength: 8 });
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '-', '*', '*'), maxLength: 8 });
    fc.assert(
      fc.property(pattern, text, (pattern, text) => {
        const expression = new RegExp(`^${pattern.replaceAll('*', '.*')}$`);
        assert.equal(matches(pattern, text), expression.test(text), `${pattern} of ${text}`);
      }),
      { numRuns: 3000 },
    );
  });

  it('take no longer over a long text than its length warrants', { timeout: 5000 }, () => {
    assert.equal(matches(`${'*a'.repeat(1000)}*b`, 'a'.repeat(200_000)), false);
    assert.equal(matches('*'.repeat(100_000), 'a'.repeat(100_000)), true);
    assert.equal(matches('*a*a*a*a*b', 'a'.repeat(1_000_000)), false);
  });
});

describe('ScanIndex', () => {
  it('forgets the former tagName of a scan that changed', () => {
    const index = indexOf(ours);
    index.put({ ...ours, tagName: 'web' });
    assert.equal(lookUp(index, 'app'), 'UnknownScan');
    assert.equal(lookUp(index, 'web'), 'team/app image');
    assert.equal(index.size, 1);
  });

  it('clears an ambiguity when one of two goes', () => {
    const index = indexOf(ours, scanOf({ name: 'x', tagName: 'app' }));
    assert.equal(lookUp(index, 'app'), 'AmbiguousScan');
    index.delete('team/app');
    assert.equal(lookUp(index, 'app'), 'team/x image');
  });

  it('takes the deletion of what it never had', () => {
    const index = indexOf(ours);
    index.delete('team/other');
    assert.equal(index.get('team/app'), ours);
  });

  it('has after a replacement what that gave and nothing else', () => {
    const index = indexOf(ours, infra({ exportTo: everywhere }));
    index.replace([scanOf({ name: 'web' })]);
    assert.equal(index.size, 1);
    assert.equal(lookUp(index, 'app'), 'UnknownScan');
    assert.equal(lookUp(index, 'web'), 'team/web image');
  });

  it('knows the namesakes: same namespace and tagName, and a GitRepo that both serve', () => {
    const names = (scan: Scan, ...others: Scan[]): string[] =>
      indexOf(scan, ...others)
        .namesakes(scan)
        .map(scanKey);
    const twin = (differences: Partial<Scan> = {}): Scan =>
      scanOf({ name: 'twin', tagName: 'app', ...differences });
    assert.deepEqual(names(ours), []);
    assert.deepEqual(names(ours, twin()), ['team/twin']);
    assert.deepEqual(names(ours, twin({ gitrepoName: 'one' })), ['team/twin']);
    assert.deepEqual(names(scanOf({ gitrepoName: 'one' }), twin()), ['team/twin']);
    assert.deepEqual(names(scanOf({ gitrepoName: 'one' }), twin({ gitrepoName: 'one' })), ['team/twin']);
    assert.deepEqual(names(scanOf({ gitrepoName: 'one' }), twin({ gitrepoName: 'two' })), []);
    assert.deepEqual(names(ours, twin({ namespace: 'infra', exportTo: everywhere })), []);
    assert.deepEqual(names(ours, scanOf({ name: 'web' })), []);
  });

  it('finds what is for one GitRepo among thousands of the same tagName', { timeout: 5000 }, () => {
    const scans = Array.from({ length: 20_000 }, (_, index) =>
      scanOf({ name: `s${index}`, tagName: 'app', gitrepoName: `r${index}` }),
    );
    const index = indexOf(...scans);
    for (const scan of scans) {
      index.put({ ...scan, generation: 2 });
      assert.deepEqual(index.namesakes(scan), []);
      assert.equal(lookUp(index, 'app', 'team', scan.gitrepoName), `team/${scan.name} image`);
    }
  });

  it('forgets a GitRepo that a scan is no longer for', () => {
    const forOne = scanOf({ gitrepoName: 'one' });
    const index = indexOf(forOne);
    index.put(ours);
    assert.equal(lookUp(index, 'app', 'team', 'two'), 'team/app image');
    index.put({ ...forOne, gitrepoName: 'two' });
    assert.equal(lookUp(index, 'app', 'team', 'one'), 'UnknownScan');
    assert.equal(lookUp(index, 'app', 'team', 'two'), 'team/app image');
    index.delete('team/app');
    assert.equal(lookUp(index, 'app'), 'UnknownScan');
  });

  it('finds what a plain search of the same scans finds, after any changes', () => {
    const scan = fc
      .record({
        namespace: fc.constantFrom('team', 'infra'),
        name: fc.constantFrom('a', 'b', 'c'),
        tagName: fc.constantFrom('a', 'b', 'a:tag'),
        exportTo: fc.constantFrom([], ['team'], ['*']),
        gitrepoName: fc.constantFrom(undefined, 'one', 'two'),
      })
      .map(({ gitrepoName, ...scan }) => scanOf({ ...scan, ...(gitrepoName && { gitrepoName }) }));
    const change = fc.oneof(
      fc.record({ put: scan }),
      fc.record({ remove: scan.map(scanKey) }),
      fc.record({ replace: fc.array(scan, { maxLength: 4 }) }),
    );
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
        const index = new ScanIndex();
        const plain = new Map<string, Scan>();
        for (const change of changes) {
          if ('put' in change) {
            index.put(change.put);
            plain.set(scanKey(change.put), change.put);
          } else if ('remove' in change) {
            index.delete(change.remove);
            plain.delete(change.remove);
          } else {
            index.replace(change.replace);
            plain.clear();
            for (const scan of change.replace) plain.set(scanKey(scan), scan);
          }
        }
        assert.equal(index.size, plain.size);
        const scans = [...plain.values()];
        for (const marker of ['a', 'b', 'a:tag']) {
          assert.equal(lookUp(index, marker), searched(scans, marker));
          for (const gitrepo of ['one', 'three']) {
            const served = scans.filter(
              ({ namespace, ...each }) => namespace !== 'team' || serves(each, gitrepo),
            );
            assert.equal(lookUp(index, marker, 'team', gitrepo), searched(served, marker));
          }
        }
      }),
    );
  });
});

function serves({ gitrepoName }: Pick<Scan, 'gitrepoName'>, gitrepo: string): boolean {
  return gitrepoName === undefined || gitrepoName === gitrepo;
}

function searched(scans: Scan[], marker: string): string {
  for (const [tagName, form] of [[marker, 'image'], ...(marker === 'a:tag' ? [['a', 'tag']] : [])]) {
    const named = scans.filter((scan) => scan.tagName === tagName);
    const own = named.filter(({ namespace }) => namespace === 'team');
    const found = own.length > 0 ? own : named.filter(({ exportTo }) => exportTo.length > 0);
    if (found.length === 1) return `${scanKey(found[0]!)} ${form}`;
  }
  const shadows = scans.filter(({ tagName }) => tagName === marker || marker.startsWith(`${tagName}:`));
  return shadows.filter(({ namespace, exportTo }) => namespace === 'team' || exportTo.length > 0).length > 0
    ? 'AmbiguousScan'
    : 'UnknownScan';
}
