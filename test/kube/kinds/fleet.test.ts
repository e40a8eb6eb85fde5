import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseFleetGitRepo, parseFleetImageScan } from '../../../kube/kinds/fleet.ts';
import { InvalidObjectError } from '../../../kube/kinds/parse.ts';

const metadata = { namespace: 'fleet-local', name: 'imagescan-apps-0' };

describe('parseFleetImageScan', () => {
  it('reads the fields that Fleet has', () => {
    const spec = {
      tagName: 'test-scan',
      gitrepoName: 'apps',
      image: 'nginx',
      interval: '0s',
      secretRef: { name: 'pull' },
      suspend: false,
      policy: { semver: { range: '*' }, alphabetical: { order: 'asc' } },
    };
    const status = { lastScanTime: '2026-01-01T00:00:00Z', latestTag: '1.2.3', latestDigest: 'sha256:aa' };
    const scan = parseFleetImageScan({ metadata, spec, status });
    assert.equal(scan.group, 'fleet.cattle.io');
    assert.deepEqual(scan.spec, spec);
    assert.equal(scan.status.latestTag, '1.2.3');
  });

  it('takes what Fleet allows and we refuse: it has to become a condition', () => {
    const spec = { image: null, interval: '10d', tagName: null, secretRef: {}, policy: { semver: null } };
    const { spec: read } = parseFleetImageScan({ metadata, spec });
    assert.deepEqual(
      [read.image, read.interval, read.tagName, read.secretRef],
      ['', '10d', undefined, { name: '' }],
    );
  });

  it('keeps what others wrote into conditions', () => {
    const condition = { type: 'Stalled', status: 'True', lastUpdateTime: '2026-01-01T00:00:00Z', foreign: 1 };
    const { status } = parseFleetImageScan({
      metadata,
      spec: { image: 'nginx' },
      status: { conditions: [condition] },
    });
    assert.deepEqual(status.conditions, [condition]);
  });

  it('takes the answer to a scan request from its annotation', () => {
    const annotations = { 'fleetscan.io/scan-handled': 'now' };
    const { status } = parseFleetImageScan({
      metadata: { ...metadata, annotations },
      spec: { image: 'nginx' },
    });
    assert.equal(status.lastHandledScanRequest, 'now');
  });

  it('refuses what is no ImageScan', () => {
    assert.throws(() => parseFleetImageScan({ metadata }), InvalidObjectError);
  });
});

describe('parseFleetGitRepo', () => {
  it('reads the fields of image scan, and the annotation for compatibility', () => {
    const annotations = { 'fleetscan.io/compatibility': 'Fleet' };
    const spec = {
      repo: 'https://git.example/apps',
      branch: null,
      paths: null,
      imageScanCommit: null,
      targets: [{}],
    };
    const read = parseFleetGitRepo({ metadata: { ...metadata, annotations }, spec });
    assert.equal(read.group, 'fleet.cattle.io');
    assert.equal(read.spec.compatibility, 'Fleet');
    assert.equal(read.spec.branch, undefined);
    assert.ok(!('targets' in read.spec));
  });

  it("leaves Fleet's own observedGeneration alone", () => {
    const status = { observedGeneration: 3, commit: 'abc' };
    const read = parseFleetGitRepo({ metadata, spec: { repo: 'x' }, status });
    assert.deepEqual([read.status.observedGeneration, read.status.commit], [undefined, undefined]);
  });
});
