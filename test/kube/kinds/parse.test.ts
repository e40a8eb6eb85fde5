import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseGitRepo } from '../../../kube/kinds/git-repo.ts';
import { parseImageScan } from '../../../kube/kinds/image-scan.ts';

const metadata = { name: 'app', namespace: 'team', uid: 'u', generation: 3, resourceVersion: '7' };

describe('parseImageScan', () => {
  it('fills in what an object without status lacks', () => {
    const scan = parseImageScan({ metadata, spec: { image: 'nginx' } });
    assert.deepEqual(scan.status, {});
    assert.deepEqual(scan.metadata.annotations, {});
  });

  it('takes an object of Fleet with its nulls', () => {
    const policy = { semver: { range: '*' }, alphabetical: { order: null } };
    const spec = {
      image: 'nginx',
      tagName: null,
      gitrepoName: null,
      interval: null,
      secretRef: null,
      suspend: null,
      policy,
    };
    assert.equal(parseImageScan({ metadata, spec }).spec.tagName, null);
  });

  it('leaves out what it does not know', () => {
    const scan = parseImageScan({
      metadata: { ...metadata, managedFields: [] },
      spec: { image: 'nginx', future: 1 },
    });
    assert.equal('managedFields' in scan.metadata || 'future' in scan.spec, false);
  });

  it('names the object and every wrong field', () => {
    const wrong = { metadata, spec: { image: 5, suspend: 'yes' }, status: { lastScanTime: 'noon' } };
    assert.throws(() => parseImageScan(wrong), {
      code: 'InvalidObject',
      message: /^ImageScan team\/app: spec\.image: .*; spec\.suspend: .*; status\.lastScanTime: /,
    });
    assert.throws(() => parseImageScan(null), { message: /^ImageScan \(without a name\): object: / });
  });
});

describe('parseGitRepo', () => {
  it('reads a repository of Fleet, and leaves out what is for deploying', () => {
    const spec = { repo: 'https://x/y', branch: null, targets: [{}], imageScanCommit: { authorName: 'a' } };
    const repo = parseGitRepo({ metadata, spec });
    assert.equal(repo.spec.imageScanCommit?.authorName, 'a');
    assert.equal('targets' in repo.spec, false);
  });

  it('names the object and the wrong field', () => {
    assert.throws(() => parseGitRepo({ metadata, spec: {} }), {
      code: 'InvalidObject',
      message: /^GitRepo team\/app: spec\.repo: /,
    });
  });
});
