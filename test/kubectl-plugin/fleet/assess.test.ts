import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assess, isOpen } from '../../../kubectl-plugin/fleet/assess.ts';
import type { Facts } from '../../../kubectl-plugin/fleet/facts.ts';
import type { FleetCase, Mode } from '../../../kubectl-plugin/fleet/situation.ts';
import type { StepName } from '../../../kubectl-plugin/fleet/steps.ts';
import { controller, facts, gitRepo, installation, MINUTE, NOW, scan, START } from './sample-facts.ts';

/** A cluster of each case. */
const CASES: Readonly<Record<FleetCase, Partial<Facts>>> = {
  NotInstalled: { kinds: { gitRepos: false, imageScans: false }, controllers: [], scans: [], gitRepos: [] },
  NoController: { controllers: [] },
  ImageScanOff: { controllers: [controller('Off')] },
  ImageScanRefused: { controllers: [controller('Off')], gitRepos: [gitRepo({ isRefused: true })] },
  ImageScanOn: { controllers: [controller('On')] },
  ImageScanUnknown: { controllers: [controller('Unknown')] },
  FeatureRemoved: { kinds: { gitRepos: true, imageScans: false }, scans: [] },
};
/** Fleetscan in each mode. */
const MODES: Readonly<Record<Mode, Partial<Facts>>> = {
  NotInstalled: { fleetscan: 'none' },
  Off: { fleetscan: installation('off') },
  Serve: { fleetscan: installation('serve') },
  TakeOver: { fleetscan: installation('take-over') },
  Unknown: { fleetscan: undefined },
};
type Steps = Readonly<Record<Mode, StepName | undefined>>;
const NONE = {
  NotInstalled: undefined,
  Off: undefined,
  Serve: undefined,
  TakeOver: undefined,
  Unknown: undefined,
};
const SERVE: Steps = { ...NONE, NotInstalled: 'InstallServe', Off: 'Serve', Unknown: 'ReadAsSomebodyElse' };
const TAKE_OVER: Steps = { ...SERVE, NotInstalled: 'InstallTakeOver', Off: 'TakeOver', Serve: 'TakeOver' };
/** The next step of each, when nothing else is amiss. */
const STEPS: Readonly<Record<FleetCase, Steps>> = {
  NotInstalled: NONE,
  NoController: SERVE,
  ImageScanOff: SERVE,
  ImageScanRefused: { ...TAKE_OVER, TakeOver: 'TurnOnImageScan' },
  ImageScanOn: TAKE_OVER,
  ImageScanUnknown: TAKE_OVER,
  FeatureRemoved: SERVE,
};

describe('every case of Fleet with every mode of Fleetscan', () => {
  for (const [found, ofFleet] of entries(CASES))
    for (const [mode, ofFleetscan] of entries(MODES))
      it(`${found} with ${mode}: ${STEPS[found][mode] ?? 'nothing is to be done'}`, () => {
        const assessment = assess(facts({ ...ofFleet, ...ofFleetscan }));
        assert.deepEqual([assessment.case, assessment.mode], [found, mode]);
        assert.equal(assessment.nextStep?.name, STEPS[found][mode]);
        assert.equal(isOpen(assessment), assessment.nextStep !== undefined || found === 'ImageScanRefused');
        const serves = found !== 'NotInstalled' && (mode === 'Serve' || mode === 'TakeOver');
        assert.equal(assessment.writers, serves ? 'FleetscanAlone' : undefined);
        assert.match(assessment.situation, /^[A-Z].*\.$/);
        assert.match(assessment.happens, /^[A-Z].*\.$/);
      });
});

function entries<K extends string, V>(record: Readonly<Record<K, V>>): [K, V][] {
  return Object.entries(record) as [K, V][];
}

describe('the case', () => {
  const both = (...states: ('On' | 'Off' | 'Unknown')[]) =>
    assess(facts({ controllers: states.map((state) => controller(state)) })).case;

  it('is that of any shard of fleet-controller whose image scan is on', () => {
    assert.equal(both('Off', 'On'), 'ImageScanOn');
    assert.equal(both('Unknown', 'On'), 'ImageScanOn');
    assert.equal(both('Off', 'Unknown'), 'ImageScanUnknown');
  });

  it('does not follow from gitjob', () => {
    const controllers = [controller('Off'), controller('On', { role: 'gitjob', name: 'gitjob' })];
    const { case: found, findings } = assess(facts({ controllers }));
    assert.deepEqual([found, findings.map(({ type }) => type)], ['ImageScanOff', ['HalfEnabled']]);
  });

  it('is unknown where no Deployment may be read', () => {
    const { case: found, nextStep } = assess(facts({ controllers: undefined, fleetscan: undefined }));
    assert.deepEqual([found, nextStep?.name], ['ImageScanUnknown', 'ReadAsSomebodyElse']);
  });
});

describe('the next step', () => {
  const command = (more: Partial<Facts>) => assess(facts(more)).nextStep?.command;

  it('names the release, the namespace and the Deployments of this cluster', () => {
    assert.equal(
      command({ fleetscan: installation('serve') }),
      'helm upgrade scans manifests/chart --namespace images --reuse-values --set fleet.takeover=take-over',
    );
    const shards = [controller('On'), controller('On', { name: 'fleet-controller-shard-a' })];
    assert.equal(
      command({ controllers: shards, scans: [scan({ labelledAt: NOW })] }),
      'kubectl -n cattle-fleet-system rollout restart deployment/fleet-controller deployment/fleet-controller-shard-a',
    );
  });

  it('is no upgrade of Fleet', () => {
    assert.match(
      command({ ...CASES.ImageScanRefused, controllers: [controller('Off', { version: '0.16.1' })] }) ?? '',
      / --version 0\.16\.1 --namespace cattle-fleet-system --reuse-values /,
    );
  });

  it('is a restart of Fleet while one of its shards is older than the take-over', () => {
    const labelled = { scans: [scan({ labelledAt: START + MINUTE })] };
    assert.equal(assess(facts(labelled)).nextStep?.name, 'RestartFleet');
    const young = controller('On', { startedAt: START + 2 * MINUTE });
    assert.equal(assess(facts({ ...labelled, controllers: [young] })).nextStep, undefined);
    assert.equal(
      assess(facts({ ...labelled, controllers: [young, controller('On')] })).nextStep?.name,
      'RestartFleet',
    );
  });

  it('is no restart where nothing was labelled by us: what is created with the label was never scheduled', () => {
    assert.equal(assess(facts({ scans: [scan({ labelledAt: undefined })] })).nextStep, undefined);
  });

  it('is no restart where the image scan of Fleet is off', () => {
    const off = { controllers: [controller('Off')], scans: [scan({ labelledAt: NOW })] };
    assert.equal(assess(facts(off)).nextStep, undefined);
  });
});

describe('two writers', () => {
  const wrote = (at: number) => ({ foreignWrite: { manager: 'fleetcontroller', at } });
  const writers = (more: Partial<Facts>) => assess(facts(more)).writers;

  it('are seen by a write after the label and after the last start of Fleet', () => {
    assert.equal(writers({ scans: [scan(wrote(START - 1))] }), 'FleetscanAlone');
    assert.equal(writers({ scans: [scan(wrote(START + 1))] }), 'Both');
    const late = { labelledAt: START + MINUTE };
    assert.equal(writers({ scans: [scan({ ...late, ...wrote(START + MINUTE) })] }), 'FleetscanAlone');
    assert.equal(writers({ scans: [scan({ ...late, ...wrote(START + MINUTE + 1) })] }), 'Both');
  });

  it('are seen by a write within the last two intervals where there is no label of ours', () => {
    const bare = { shard: undefined, labelledAt: undefined };
    const serve = { fleetscan: installation('serve') };
    assert.equal(
      writers({ ...serve, scans: [scan({ ...bare, ...wrote(NOW - 11 * MINUTE) })] }),
      'FleetscanAlone',
    );
    assert.equal(writers({ ...serve, scans: [scan({ ...bare, ...wrote(NOW - 9 * MINUTE) })] }), 'Both');
  });

  it('are seen on GitRepos too, and told with who and when', () => {
    const assessment = assess(facts({ gitRepos: [gitRepo(wrote(NOW - MINUTE))] }));
    assert.deepEqual(assessment.findings, [
      {
        type: 'TwoWriters',
        object: { kind: 'GitRepo', namespace: 'shop', name: 'apps' },
        message: 'fleetcontroller wrote back too, at 2026-03-01T11:59:00Z',
      },
    ]);
    assert.deepEqual([assessment.nextStep?.name, isOpen(assessment)], ['RestartFleet', true]);
  });

  it('are not known where the objects may not be read', () => {
    assert.equal(writers({ scans: undefined }), 'Unknown');
    assert.equal(writers({ gitRepos: undefined }), 'Unknown');
  });

  it('are no matter where Fleetscan serves nothing', () => {
    const { findings } = assess(facts({ fleetscan: installation('off'), scans: [scan(wrote(NOW))] }));
    assert.deepEqual(findings, []);
  });
});

describe('a take-over that is not whole', () => {
  const types = (more: Partial<Facts>) => assess(facts(more)).findings.map(({ type }) => type);

  it('lacks the rule of the webhook', () => {
    assert.deepEqual(types({ hasWebhookRule: false }), ['NoWebhookRule']);
    assert.deepEqual(types({ hasWebhookRule: undefined }), []);
    assert.deepEqual(types({ hasWebhookRule: false, fleetscan: installation('serve') }), []);
  });

  it('lacks the label, also where a shard of Fleet has the object', () => {
    assert.deepEqual(types({ scans: [scan({ shard: undefined }), scan({ shard: 'other' })] }), [
      'NotLabelled',
      'NotLabelled',
    ]);
    assert.deepEqual(types({ scans: [scan({ shard: undefined })], fleetscan: installation('serve') }), []);
  });

  it('is made whole before Fleet is restarted or its image scan turned on', () => {
    const step = (more: Partial<Facts>) => assess(facts(more)).nextStep?.name;
    const late = scan({ labelledAt: NOW });
    assert.equal(step({ scans: [late] }), 'RestartFleet');
    assert.equal(step({ scans: [late, scan({ shard: undefined, labelledAt: undefined })] }), 'AwaitLabels');
    assert.equal(step({ scans: [late], hasWebhookRule: false }), 'TakeOver');
    assert.equal(step({ ...CASES.ImageScanRefused, scans: [scan({ shard: undefined })] }), 'AwaitLabels');
  });

  it('is told with an exit code, unlike what can stay as it is', () => {
    assert.ok(isOpen(assess(facts({ hasWebhookRule: false }))));
    assert.ok(!isOpen(assess(facts({ scans: [scan({ gitRepo: 'gone' })] }))));
  });
});

describe('an orphan', () => {
  const of = (name: string, commit: string) => scan({ name, appliedFrom: { gitRepo: 'apps', commit } });
  const orphaned = (names: ReturnType<typeof of>[], commit?: string) =>
    assess(facts({ scans: names, gitRepos: [gitRepo({ commit })] })).findings.map(
      ({ object }) => object?.name,
    );

  it('is of another commit than the one that Fleet deployed', () => {
    assert.deepEqual(orphaned([of('a', '2'), of('b', '1'), of('c', '1')], '2'), ['b', 'c']);
  });

  it('is of another commit than most, while none bears the one that Fleet deployed', () => {
    assert.deepEqual(orphaned([of('a', '1'), of('b', '2'), of('c', '2')], '3'), ['a']);
    assert.deepEqual(orphaned([of('a', '1'), of('b', '2')]), []);
  });

  it('comes with the command that deletes it', () => {
    const { findings } = assess(facts({ scans: [of('a', '2'), of('b', '1'), of('c', '2')] }));
    assert.equal(findings[0]?.command, 'kubectl -n shop delete imagescans.fleet.cattle.io b');
  });

  it('is none that a person made', () => {
    assert.deepEqual(orphaned([of('a', '1'), of('b', '1'), scan({ name: 'by-hand' })], '1'), []);
  });
});
