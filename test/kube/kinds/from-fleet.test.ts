import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseFleetImageScan } from '../../../kube/kinds/fleet.ts';
import { convert } from '../../../kube/kinds/from-fleet.ts';
import { imageScanSpec } from '../../../kube/kinds/image-scan.ts';

const REPO_LABEL = 'fleet.cattle.io/repo-name';

function fleets({ metadata = {}, spec = {} }: { metadata?: object; spec?: object } = {}) {
  return parseFleetImageScan({
    apiVersion: 'fleet.cattle.io/v1alpha1',
    kind: 'ImageScan',
    metadata: { namespace: 'team', name: 'imagescan-apps-0', ...metadata },
    spec: { image: 'ghcr.io/acme/web', interval: '5m', tagName: 'web', ...spec },
  });
}

describe('convert', () => {
  it('keeps the fields that both kinds have, and leaves out what is null', () => {
    const policy = { semver: { range: '*' }, alphabetical: { order: 'asc' } };
    const scan = fleets({
      spec: { gitrepoName: 'apps', secretRef: { name: 'pull' }, suspend: true, policy },
    });
    const { object, notes } = convert(scan);
    assert.deepEqual(object, {
      apiVersion: 'fleetscan.io/v1alpha1',
      kind: 'ImageScan',
      metadata: {
        namespace: 'team',
        name: 'web',
        annotations: { 'fleetscan.io/from-fleet': 'imagescan-apps-0' },
      },
      spec: {
        image: 'ghcr.io/acme/web',
        tagName: 'web',
        gitrepoName: 'apps',
        interval: '5m',
        secretRef: { name: 'pull' },
        suspend: true,
        policy,
      },
    });
    assert.deepEqual(notes, []);
    const bare = convert(
      fleets({ spec: { gitrepoName: null, interval: null, policy: { semver: null, alphabetical: {} } } }),
    );
    assert.deepEqual(bare.object.spec, {
      image: 'ghcr.io/acme/web',
      tagName: 'web',
      policy: { alphabetical: {} },
    });
  });

  it('marks what fleet apply made as defined by its GitRepo, and names it so', () => {
    const made = fleets({ metadata: { labels: { [REPO_LABEL]: 'apps' } }, spec: { gitrepoName: 'apps' } });
    assert.deepEqual(convert(made).object.metadata.labels, { 'fleetscan.io/defined-by': 'apps' });
    assert.deepEqual(convert(made).names, ['apps-web', 'web', 'imagescan-apps-0']);
    const retargeted = fleets({
      metadata: { labels: { [REPO_LABEL]: 'apps' } },
      spec: { gitrepoName: 'other' },
    });
    assert.equal(convert(retargeted).object.metadata.labels, undefined);
  });

  it('keeps its name where the tagName is none that an object may have', () => {
    for (const tagName of ['Web', 'a/b', '-a', 'a..b', 'x'.repeat(254)]) {
      const { object, names } = convert(fleets({ spec: { tagName } }));
      assert.deepEqual(names, ['imagescan-apps-0']);
      assert.equal(object.spec.tagName, tagName);
    }
  });

  it('calls by its name what has no tagName', () => {
    const { object } = convert(fleets({ spec: { tagName: null } }));
    assert.equal(object.spec.tagName, 'imagescan-apps-0');
  });

  it('leaves to its default what our CRD refuses, and tells', () => {
    const refused = { interval: '1d', secretRef: { name: 's'.repeat(254) } };
    const { object, notes } = convert(fleets({ spec: refused }));
    assert.equal(object.spec.interval, undefined);
    assert.equal(object.spec.secretRef, undefined);
    assert.match(
      notes.join('\n'),
      /^the interval "1d" is no duration .*\nspec\.secretRef refers to a Secret by more than 253 characters/,
    );
    const nameless = convert(fleets({ spec: { secretRef: { name: '' } } }));
    assert.equal(nameless.object.spec.secretRef, undefined);
    assert.match(nameless.notes.join(), /^spec\.secretRef refers to a Secret without its name/);
    for (const interval of ['9999999h', '1s'.repeat(17)]) {
      assert.equal(convert(fleets({ spec: { interval } })).object.spec.interval, undefined);
    }
  });

  it('suspends in place of a policy that would choose other tags', () => {
    const range = '>=1.0.0 '.repeat(100);
    const { object, notes } = convert(fleets({ spec: { policy: { semver: { range } } } }));
    assert.equal(object.spec.suspend, true);
    assert.equal(object.spec.policy, undefined);
    assert.match(notes[0] ?? '', /semver range has more than 512 characters/);
  });

  it('gives a spec that our schema takes', () => {
    for (const spec of [{}, { interval: '1d' }, { policy: { semver: { range: null } } }, { suspend: null }]) {
      assert.ok(imageScanSpec.safeParse(convert(fleets({ spec })).object.spec).success);
    }
  });
});
