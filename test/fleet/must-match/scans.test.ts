import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseCommentMarker } from '../../../core/marker.ts';
import { ScanIndex } from '../../../core/scan.ts';
import { parseFleetImageScan } from '../../../kube/kinds/fleet.ts';
import { toScan } from '../../../kube/kinds/to-scan.ts';
import { fleetScanStatusAfter } from '../../../reconciler/fleet/scan-status.ts';
import { DIGEST } from '../../reconciler/samples.ts';
import { World } from '../../scan/world.ts';
import { type BundleEntry, fleetImageScan } from '../objects.ts';

const NAMESPACE = 'fleet-local';

/** An ImageScan as `fleet apply` makes it of an entry, with nginx 1.25.3 in force. */
function applied(entry: Omit<BundleEntry, 'namespace'>, spec: object) {
  const object = fleetImageScan({ namespace: NAMESPACE, ...entry }, { image: 'nginx', ...spec });
  const status = {
    canonicalImageName: 'index.docker.io/library/nginx',
    latestTag: '1.25.3',
    latestImage: 'index.docker.io/library/nginx:1.25.3',
    latestDigest: DIGEST,
  };
  return parseFleetImageScan({ ...object, status });
}

/** The name of the ImageScan that answers a marker in the files of a GitRepo; the reason where none does. */
function answering(text: string, gitrepo: string, ...scans: readonly ReturnType<typeof applied>[]): string {
  const index = new ScanIndex();
  index.replace(scans.map(toScan));
  const marker = parseCommentMarker(`# {"$imagescan": "${text}"}`) ?? assert.fail();
  const lookup = index.find(marker, { namespace: NAMESPACE, gitrepo });
  return lookup.kind === 'found' ? lookup.scan.name : lookup.reason;
}

describe('an ImageScan as fleet apply makes it', () => {
  it('an ImageScan is found by its tagName, whatever its name, which goes by its place in fleet.yaml', () => {
    const first = applied({ gitRepo: 'my-repo', path: 'apps/web', index: 0 }, { tagName: 'test-scan' });
    const second = applied({ gitRepo: 'my-repo', path: 'apps/web', index: 1 }, { tagName: 'other' });
    assert.equal(answering('test-scan', 'my-repo', first, second), 'imagescan-my-repo-apps-web-0');
    assert.equal(answering('imagescan-my-repo-apps-web-0', 'my-repo', first, second), 'UnknownScan');
    const swapped = applied({ gitRepo: 'my-repo', path: 'apps/web', index: 1 }, { tagName: 'test-scan' });
    assert.equal(answering('test-scan:tag', 'my-repo', swapped), 'imagescan-my-repo-apps-web-1');
  });

  it('an ImageScan answers the markers of its GitRepo, from any bundle of it, and those of no other', () => {
    const ours = applied({ gitRepo: 'my-repo', path: 'apps/web' }, { tagName: 'test-scan' });
    const others = applied({ gitRepo: 'other' }, { tagName: 'test-scan' });
    assert.equal(answering('test-scan', 'my-repo', ours, others), 'imagescan-my-repo-apps-web-0');
    assert.equal(answering('test-scan', 'other', ours, others), 'imagescan-other-0');
    assert.equal(answering('test-scan', 'third', ours, others), 'UnknownScan');
  });

  it('the zero values and nulls that fleet apply writes for what fleet.yaml does not say are read', () => {
    const { spec } = applied(
      { gitRepo: 'my-repo' },
      { tagName: 'test-scan', secretRef: null, policy: { semver: null, alphabetical: null } },
    );
    assert.deepEqual(spec, {
      image: 'nginx',
      tagName: 'test-scan',
      gitrepoName: 'my-repo',
      interval: '0s',
      policy: { semver: null, alphabetical: null },
      secretRef: undefined,
    });
  });

  it('what Fleet found stays in force until a scan of ours finds another', () => {
    const { inForce } = toScan(applied({ gitRepo: 'my-repo' }, { tagName: 'test-scan' }));
    assert.deepEqual([inForce?.canonicalName, inForce?.tag], ['index.docker.io/library/nginx', '1.25.3']);
  });

  it('a suspended ImageScan still answers: suspend ends scanning alone', () => {
    const scan = applied({ gitRepo: 'my-repo' }, { tagName: 'test-scan', suspend: true });
    assert.equal(answering('test-scan', 'my-repo', scan), 'imagescan-my-repo-0');
  });
});

describe('the status of an ImageScan after a scan', () => {
  const now = new Date('2026-01-01T00:00:00Z');
  const statusAfter = async (tags: readonly string[], spec: object = {}) => {
    const scan = applied({ gitRepo: 'my-repo' }, { tagName: 'test-scan', ...spec });
    const result = await new World(tags).scan(scan.spec);
    return fleetScanStatusAfter(scan, result, { request: undefined, namesakes: [], now });
  };

  it('lastScanTime is set once the tags were listed, also where the policy then finds none', async () => {
    const found = await statusAfter(['1.26.0']);
    assert.deepEqual([found.lastScanTime, found.latestTag], ['2026-01-01T00:00:00Z', '1.26.0']);
    const none = await statusAfter(['latest']);
    assert.equal(none.lastScanTime, '2026-01-01T00:00:00Z');
    const unlisted = await statusAfter([], { image: 'NGINX' });
    assert.equal(unlisted.lastScanTime, undefined);
  });

  it('canonicalImageName and latestImage have the canonical spelling', async () => {
    const { canonicalImageName, latestImage } = await statusAfter(['1.26.0']);
    assert.equal(canonicalImageName, 'index.docker.io/library/nginx');
    assert.equal(latestImage, 'index.docker.io/library/nginx:1.26.0');
  });

  it('a failure is ImageScanned, Reconciling and Stalled as of Fleet, in its words with our reason before them', async () => {
    for (const [tags, spec, want] of [
      [[], {}, 'NoTags: no tag found'],
      [['latest'], {}, 'NoMatch: no available version matching *'],
      [['1.0.0'], { policy: { semver: { range: '>=9' } } }, 'NoMatch: no available version matching >=9'],
      [['1.0.0'], { policy: { semver: { range: '' } } }, 'InvalidRange: improper constraint: ""'],
      [['1.0.0'], { image: 'NGINX' }, 'InvalidImage: could not parse reference: NGINX'],
    ] as const) {
      const { conditions } = await statusAfter(tags, spec);
      const states = conditions.map(({ type, status, reason }) => [type, status, reason].join(' ').trim());
      assert.deepEqual(states.slice(0, 3), [
        'ImageScanned False Error',
        'Reconciling False',
        'Stalled True Stalled',
      ]);
      for (const { type, message = '' } of conditions)
        if (type === 'ImageScanned' || type === 'Stalled') assert.ok(message.startsWith(want), message);
    }
  });
});
