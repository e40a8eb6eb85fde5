import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseImageScan } from '../../../kube/kinds/image-scan.ts';
import type { InvalidObjectError } from '../../../kube/kinds/parse.ts';
import { projectScan, toScan } from '../../../kube/kinds/to-scan.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const NAME = 'index.docker.io/library/nginx';
const STATUS = {
  canonicalImageName: NAME,
  latestTag: '1.3',
  latestDigest: DIGEST,
  latestImage: `${NAME}:1.3`,
  history: [
    { tag: '1.3', digest: DIGEST, image: `${NAME}:1.3`, since: '2026-01-01T00:00:01Z', cause: 'Scan' },
    { tag: '9', digest: DIGEST, image: 'ghcr.io/other:9', since: '2025-01-01T00:00:00.5Z', cause: 'Pin' },
  ],
};
const raw = (spec: object = {}, status: object = STATUS): object => ({
  metadata: { name: 'app', namespace: 'team', generation: 3 },
  spec: { image: 'nginx', ...spec },
  status,
});
const both = (object: object) => {
  const scan = projectScan(object);
  assert.deepEqual(scan, toScan(parseImageScan(object)));
  assert.ok(scan);
  return scan;
};

describe('toScan', () => {
  it('gives the value in force and its history, in the spelling of the spec', () => {
    assert.deepEqual(both(raw({ exportTo: ['x-*'], consistency: 'Revision', gitrepoName: 'repo' })), {
      group: 'fleetscan.io',
      namespace: 'team',
      name: 'app',
      tagName: 'app',
      generation: 3,
      gitrepoName: 'repo',
      exportTo: ['x-*'],
      consistency: 'Revision',
      inForce: { name: 'nginx', canonicalName: NAME, tag: '1.3', digest: DIGEST },
      history: [
        {
          value: { name: 'nginx', canonicalName: NAME, tag: '1.3', digest: DIGEST },
          since: Date.UTC(2026, 0, 1, 0, 0, 1),
          cause: 'Scan',
        },
        {
          value: { name: 'ghcr.io/other', canonicalName: 'ghcr.io/other', tag: '9', digest: DIGEST },
          since: Date.UTC(2025, 0, 1) + 500,
          cause: 'Pin',
        },
      ],
    });
  });

  it('takes tagName when there is one', () => {
    assert.equal(both(raw({ tagName: 'web' })).tagName, 'web');
    for (const tagName of [null, '']) assert.equal(both(raw({ tagName })).tagName, 'app');
  });

  it('has the same value in force for another spelling of the same image', () => {
    assert.equal(
      both(raw({ image: 'docker.io/library/nginx:ignored' })).inForce?.name,
      'docker.io/library/nginx',
    );
  });

  const without: [what: string, object: object][] = [
    ['before the first scan', raw({}, {})],
    ['without a digest', raw({}, { ...STATUS, latestDigest: undefined })],
    ['without a tag', raw({}, { ...STATUS, latestTag: '' })],
    ['while the status is of another image', raw({ image: 'httpd' })],
    ['when the image does not parse', raw({ image: 'NOT AN IMAGE' })],
  ];
  for (const [what, object] of without)
    it(`has no value in force ${what}`, () => assert.equal(both(object).inForce, undefined));
});

describe('projectScan', () => {
  it('tells of an object that it cannot read', () => {
    const told: InvalidObjectError[] = [];
    assert.equal(
      projectScan({ metadata: { name: 'x' }, spec: {} }, (error) => told.push(error)),
      undefined,
    );
    assert.match(told[0]?.message ?? '', /^ImageScan x: spec\.image: /);
  });
});
