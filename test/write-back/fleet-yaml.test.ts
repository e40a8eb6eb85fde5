import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readFleetScans } from '../../write-back/fleet-yaml.ts';

/** As Fleet's documentation has it. */
const DOCUMENTED = `imageScans:
# specify the policy to retrieve images, can be semver or alphabetical order
- policy:
    # if range is specified, it will take the latest image according to semver order in the range
    semver:
      range: "*"
    # can use ascending or descending order
    alphabetical:
      order: asc

  # specify images to scan
  image: "your.registry.com/repo/image"

  # Specify the tag name, it has to be unique in the same bundle
  tagName: test-scan

  # specify secret to pull image if in private registry
  secretRef:
    name: dockerhub-secret

  # Specify the scan interval
  interval: 5m
`;

const GOOD = '- {tagName: good, image: ghcr.io/acme/good}\n';

describe('readFleetScans', () => {
  it('reads the imageScans of a fleet.yaml among its other fields', () => {
    assert.deepEqual(readFleetScans(`namespace: shop\nhelm: {chart: x}\n${DOCUMENTED}`), {
      scans: [
        {
          line: 5,
          tagName: 'test-scan',
          spec: {
            policy: { semver: { range: '*' }, alphabetical: { order: 'asc' } },
            image: 'your.registry.com/repo/image',
            tagName: 'test-scan',
            secretRef: { name: 'dockerhub-secret' },
            interval: '5m',
          },
        },
      ],
      problems: [],
    });
  });

  it('takes name for nothing, and the GitRepo for the one whose file it is, as Fleet does', () => {
    const { scans, problems } = readFleetScans(
      'imageScans: [{name: x, tagName: a, image: b/c, gitrepoName: other}]',
    );
    assert.deepEqual(problems, []);
    assert.deepEqual(scans[0]?.spec, { tagName: 'a', image: 'b/c' });
  });

  for (const text of [
    '',
    'namespace: x\n',
    'imageScans:\n',
    'imageScans: []\n',
    'kind: ImageScan\nimageScans: 1\n',
    '- a\n',
  ])
    it(`finds none in ${JSON.stringify(text)}`, () =>
      assert.deepEqual(readFleetScans(text), { scans: [], problems: [] }));

  const mistakes: [what: string, entry: string, line: number, message: RegExp][] = [
    ['no image', '- tagName: a\n', 3, /^imageScans\[1\]: image: /],
    ['no tagName', '- image: a/b\n', 3, /tagName is missing: markers name the scan by it/],
    ['an empty tagName', '- image: a/b\n  tagName: ""\n', 4, /tagName is missing/],
    ['a tagName that is taken', '- image: a/b\n  tagName: good\n', 4, /tagName good is taken by line 2/],
    [
      'a bad range',
      '- image: a/b\n  tagName: a\n  policy:\n    semver: {range: x.y.z.w}\n',
      6,
      /InvalidRange: improper constraint/,
    ],
    [
      'a bad interval',
      '- image: a/b\n  tagName: a\n  interval: 5d\n',
      5,
      /InvalidInterval: .*"5d" is not a duration/,
    ],
    [
      'an image that is none',
      '- tagName: a\n  image: UPPER/x\n',
      4,
      /InvalidImage: could not parse reference/,
    ],
    ['a field that there is not', '- image: a/b\n  tagName: a\n  tags: x\n', 5, /there is no field tags/],
    [
      'one further in',
      '- image: a/b\n  tagName: a\n  policy:\n    semver:\n      rnage: 1\n',
      7,
      /no field policy\.semver\.rnage/,
    ],
    [
      'a field of another type',
      '- image: a/b\n  tagName: a\n  suspend: maybe\n',
      5,
      /suspend: .*expected boolean/,
    ],
    ['an entry that is text', '- a/b\n', 3, /the entry: .*expected object/],
  ];
  for (const [what, entry, line, message] of mistakes) {
    it(`names ${what} with its line, and the other entries count`, () => {
      const { scans, problems } = readFleetScans(`imageScans:\n${GOOD}${entry}`);
      assert.deepEqual(
        scans.map(({ tagName }) => tagName),
        ['good'],
      );
      assert.deepEqual(
        problems.map((problem) => problem.line),
        [line],
      );
      assert.match(problems[0]?.message ?? '', message);
    });
  }

  it('says what to do with a mapping in place of the list', () => {
    const { problems } = readFleetScans('imageScans:\n  image: a/b\n  tagName: a\n');
    assert.deepEqual(
      problems.map(({ line }) => line),
      [2],
    );
    assert.match(problems[0]?.message ?? '', /is a mapping and has to be a list/);
  });

  it('says so of what is no list at all, and follows an alias to one', () => {
    const { problems } = readFleetScans('a: 1\nimageScans: web\n');
    assert.deepEqual(problems, [{ line: 2, message: 'imageScans has to be a list of scans' }]);
    const { scans } = readFleetScans(`common: &scans\n${GOOD}imageScans: *scans\n`);
    assert.deepEqual(
      scans.map(({ line, tagName }) => [line, tagName]),
      [[2, 'good']],
    );
  });

  it('says which scan a mistake concerns, where the entry does', () => {
    const { problems } = readFleetScans(
      'imageScans:\n- {tagName: a, image: UPPER}\n- {tagName: 1, image: a/b}\n- {image: a/b}\n',
    );
    assert.deepEqual(
      problems.map(({ tagName }) => tagName),
      ['a', undefined, undefined],
    );
  });

  it('tells where a file does not parse, and is not led astray by aliases', () => {
    assert.deepEqual(
      readFleetScans('a: [\nb').problems.map(({ line }) => line),
      [2],
    );
    const bomb = `x0: &x0 [1,1,1,1,1,1,1,1,1,1]\n${Array.from({ length: 9 }, (_, n) => `x${n + 1}: &x${n + 1} [${`*x${n},`.repeat(10)}]\n`).join('')}imageScans:\n- {tagName: a, image: b/c, exclude: *x9}\n${GOOD}`;
    const { scans, problems } = readFleetScans(bomb);
    assert.deepEqual([scans.length, problems.length], [1, 1]);
  });
});
