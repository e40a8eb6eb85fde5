import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import {
  FLEET_GIT_REPO,
  FLEET_IMAGE_SCAN,
  GIT_REPO,
  IMAGE_SCAN,
  type Kind,
} from '../../kubectl-plugin/objects.ts';
import type { OutputFlags } from '../../kubectl-plugin/output.ts';
import { policyText } from '../../kubectl-plugin/status-table.ts';

const NOW = Date.parse('2026-01-02T12:00:00Z');
mock.timers.enable({ apis: ['Date'], now: NOW });

const DIGEST = `sha256:0123456789abcdef${'0'.repeat(48)}`;
const SCAN = {
  metadata: { name: 'web', namespace: 'shop' },
  spec: { image: 'example.com/web', interval: '5m', policy: { semver: { range: '^1' } } },
  status: {
    latestTag: '1.3.0',
    latestDigest: DIGEST,
    lastScanTime: '2026-01-02T11:59:30Z',
    history: [{ since: '2026-01-02T09:00:00Z' }, { since: '2025-01-01T00:00:00Z' }],
    conditions: [
      { type: 'ImageScanned', status: 'True', reason: 'Scanned', message: 'chose 1.3.0 among 4 tags' },
      { type: 'Ready', status: 'True', reason: 'InForce', message: '1.3.0 is in force' },
    ],
  },
};

describe('the table of ImageScans', () => {
  it('shows what is in force, since when, and how the last scan went', () => {
    assert.deepEqual(shown(IMAGE_SCAN, SCAN), {
      NAME: 'web',
      IMAGE: 'example.com/web',
      TAG: '1.3.0',
      DIGEST: '0123456789ab',
      SINCE: '3h',
      READY: 'True',
      SCANNED: 'True',
      'LAST SCAN': '30s',
    });
  });

  it('shows more when it may be wide, and the namespace when there are several', () => {
    const {
      NAMESPACE,
      DIGEST: digest,
      POLICY,
      INTERVAL,
      MESSAGE,
    } = shown(IMAGE_SCAN, SCAN, {
      output: 'wide',
      allNamespaces: true,
    });
    assert.deepEqual([NAMESPACE, digest, POLICY, INTERVAL], ['shop', DIGEST, 'semver ^1', '5m']);
    assert.equal(MESSAGE, 'chose 1.3.0 among 4 tags');
  });

  it('shows a scan that was never made', () => {
    const { status: _, ...fresh } = SCAN;
    const { TAG, DIGEST: digest, SINCE, READY, SCANNED } = shown(IMAGE_SCAN, fresh);
    assert.deepEqual(
      [TAG, digest, SINCE, READY, SCANNED],
      ['<none>', '<none>', '<none>', 'Unknown', 'Unknown'],
    );
  });

  it('shows the reason of what is wrong, and its message', () => {
    const failed = { type: 'ImageScanned', status: 'False', reason: 'NotFound', message: 'no such image' };
    const row = shown(IMAGE_SCAN, { ...SCAN, status: { conditions: [failed] } }, { output: 'wide' });
    assert.equal(row['SCANNED'], 'NotFound');
    assert.equal(row['MESSAGE'], 'NotFound: no such image');
  });

  it('shows that a scan is suspended', () => {
    const suspended = { ...SCAN, spec: { ...SCAN.spec, suspend: true } };
    assert.equal(shown(IMAGE_SCAN, suspended)['SCANNED'], 'Suspended');
  });

  it('does not mind what is wrong in fields that it does not show', () => {
    assert.equal(shown(IMAGE_SCAN, { ...SCAN, spec: { ...SCAN.spec, exclude: 'x' } })['NAME'], 'web');
  });
});

describe('the table of GitRepos', () => {
  const REPO = {
    metadata: { name: 'apps', namespace: 'shop' },
    spec: { repo: 'https://git.example/apps' },
    status: {
      markers: { total: 3, current: 2, leftAlone: 1 },
      lastPushCommit: '0123456789abcdef0123456789abcdef01234567',
      lastPushTime: '2026-01-01T00:00:00Z',
      conditions: [
        { type: 'ImageSynced', status: 'False', reason: 'PushRejected', message: 'the branch is protected' },
      ],
    },
  };

  it('shows where values go, and whether Git agrees', () => {
    assert.deepEqual(shown(GIT_REPO, REPO), {
      GITREPO: 'apps',
      REPO: 'https://git.example/apps',
      BRANCH: 'master',
      SYNCED: 'PushRejected',
      MARKERS: '2/3',
      COMMIT: '0123456789ab',
      PUSHED: '36h',
    });
  });

  it('shows the whole commit and the message when it may be wide', () => {
    const row = shown(GIT_REPO, REPO, { output: 'wide' });
    assert.equal(row['COMMIT'], REPO.status.lastPushCommit);
    assert.equal(row['MESSAGE'], 'the branch is protected');
  });
});

describe('the tables of Fleet', () => {
  const synced = (condition: object): object => ({
    metadata: { name: 'apps', namespace: 'shop' },
    spec: { repo: 'https://git.example/apps' },
    status: { conditions: [condition] },
  });

  it('show a scan as far as its status goes, and what Fleet allows that we do not', () => {
    const row = shown(FLEET_IMAGE_SCAN, { ...SCAN, spec: { image: null, tagName: 'web', interval: '0s' } });
    assert.deepEqual(row, {
      NAME: 'imagescan.fleet.cattle.io/web',
      TAGNAME: 'web',
      IMAGE: '<none>',
      TAG: '1.3.0',
      DIGEST: '0123456789ab',
      READY: 'True',
      SCANNED: 'True',
      'LAST SCAN': '30s',
    });
    const { status: _, ...fresh } = SCAN;
    assert.equal(shown(FLEET_IMAGE_SCAN, fresh)['SCANNED'], 'Unknown');
  });

  it('show the reason that stands before the message, and that of Fleet where there is none', () => {
    const told = (message: string): (string | undefined)[] => {
      const failed = { type: 'ImageSynced', status: 'False', reason: 'Error', message };
      const row = shown(FLEET_GIT_REPO, synced(failed), { output: 'wide' });
      return [row['SYNCED'], row['MESSAGE']];
    };
    assert.deepEqual(told('PushRejected: no: never'), ['PushRejected', 'no: never']);
    assert.deepEqual(told('could not parse reference: a b'), ['Error', 'could not parse reference: a b']);
  });

  it('show first which definition in Git has a mistake', () => {
    const wrong = {
      type: 'ImageScansAccepted',
      status: 'False',
      reason: 'InvalidDefinition',
      message: 'fleet.yaml:3: no tagName',
    };
    for (const kind of [GIT_REPO, FLEET_GIT_REPO])
      assert.equal(
        shown(kind, synced(wrong), { output: 'wide' })['MESSAGE'],
        'InvalidDefinition: fleet.yaml:3: no tagName',
      );
  });

  it('pass over GitRepos that image scan has nothing to do with', () => {
    const isShown = (condition: object): boolean => FLEET_GIT_REPO.isShown(synced(condition));
    assert.equal(isShown({ type: 'Ready', status: 'True' }), false);
    assert.equal(isShown({ type: 'ImageSynced', status: 'True' }), true);
    assert.equal(isShown({ type: 'ImageScansAccepted', status: 'True' }), true);
    assert.equal(FLEET_GIT_REPO.isShown({}), false);
  });
});

it('a policy in a few words', () => {
  const texts = [
    undefined,
    null,
    {},
    { semver: { range: '>=1 <2' } },
    { semver: { range: '^1' }, alphabetical: { order: 'asc' } },
    { alphabetical: {} },
    { alphabetical: { order: '' } },
    { alphabetical: { order: 'asc' } },
    { numerical: {} },
    { numerical: { order: 'desc' as const } },
    { newest: {} },
    { digest: { tag: 'latest' } },
  ].map(policyText);
  assert.deepEqual(texts, [
    'semver *',
    'semver *',
    'semver *',
    'semver >=1 <2',
    'semver ^1',
    'alphabetical desc',
    'alphabetical desc',
    'alphabetical asc',
    'numerical asc',
    'numerical desc',
    'newest',
    'digest of latest',
  ]);
});

function shown(kind: Kind, object: object, flags: OutputFlags = {}): Record<string, string> {
  const row = kind.rows(flags)(object);
  return Object.fromEntries(kind.headings(flags).map((heading, index) => [heading, row[index] ?? '']));
}
