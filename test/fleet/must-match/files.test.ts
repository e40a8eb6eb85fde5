import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import { type Repository, openRepository } from '../../../git/repository.ts';
import { type EditPlan, planEdits } from '../../../write-back/plan.ts';
import { type GitServer, startGitServer } from '../../control-plane/git-server.ts';
import { temporaryFolder } from '../../control-plane/processes.ts';
import { fleetGitRepo } from '../../reconciler/samples.ts';
import { marked, runner } from '../../reconciler/write-back/support.ts';
import { scanOf } from '../../write-back/edits.ts';
import { writesAsFleet } from './cases.ts';

const STALE = marked('1.0.0');
const scan = scanOf('registry.example/web:2.0.0');

const OF_FLEET = ['Chart.yaml', 'fleet.yaml', 'overlays/kustomization.yml', 'values.yaml'];
const HIDDEN = ['.github/workflows/ci.yml', '.yaml', 'node_modules/x/a.yaml'];
const FOLDERS = ['charts/my-chart/values.yaml', 'etc/passwd/a.yaml', 'manifests/a.yaml', 'manifests/b/c.yml'];
const OTHERS = ['c.YAML', 'd.Yml', 'e.json', 'f.tpl', 'g.txt', 'h.yaml.tpl', 'i.yaml.bak', 'jyaml'];
const ALL = [...OF_FLEET, ...HIDDEN, ...FOLDERS].toSorted();

describe('the files that count are those of Fleet', () => {
  let git: GitServer;
  let repository: Repository;
  let head: string;

  before(async () => {
    git = await startGitServer();
    // Each of these has a stale marker.
    const files = Object.fromEntries([...ALL, ...OTHERS].map((path) => [path, STALE]));
    const { url } = await git.createRepository('all', files);
    const environment = { PATH: process.env['PATH'] };
    repository = await openRepository({ directory: temporaryFolder('all'), url, environment });
    head = await repository.fetch('main');
  });
  after(() => git?.stop());

  /** The files that a GitRepo with these `paths` has changed. */
  const changedBy = async (paths: readonly string[] = []): Promise<string[]> => {
    const { changes } = await planEdits(repository, head, paths, ({ readings: [reading] }) => ({
      kind: 'found',
      scan,
      reading,
    }));
    return changes.map(({ path }) => path).toSorted();
  };

  it('files that end in .yaml or .yml in lower case are looked into, and no others', async () => {
    assert.deepEqual(await changedBy(), ALL);
  });

  it('fleet.yaml, charts, kustomizations and values count, also in folders that begin with a dot and in node_modules', async () => {
    const changed = await changedBy();
    for (const path of [...OF_FLEET, ...HIDDEN]) assert.ok(changed.includes(path), path);
    writesAsFleet('dotfiles and dirs', 'Chart.yaml appVersion', 'kustomize digest field impossible');
  });

  it('paths name folders with all that is below them, and single files', async () => {
    const want = ['fleet.yaml', 'manifests/a.yaml', 'manifests/b/c.yml'];
    assert.deepEqual(await changedBy(['manifests', 'fleet.yaml']), want);
    writesAsFleet('path=file');
  });

  it("the paths manifests, charts/my-chart, ., / and /etc/passwd lie in the repository, as in Fleet's unit test", async () => {
    for (const [path, want] of [
      ['manifests', ['manifests/a.yaml', 'manifests/b/c.yml']],
      ['charts/my-chart', ['charts/my-chart/values.yaml']],
      ['.', ALL],
      ['/', ALL],
      ['/etc/passwd', ['etc/passwd/a.yaml']],
    ] as const) {
      assert.deepEqual(await changedBy([path]), want, path);
    }
  });

  it("the paths ../etc, ../../etc, sub/../../etc and /../etc lead out of it, as in Fleet's unit test, and nothing is written", async (t) => {
    for (const path of ['../etc', '../../etc', 'sub/../../etc', '/../etc']) {
      const message = `path "${path}" resolves outside the repository root`;
      await assert.rejects(changedBy(['manifests', path]), { code: 'PathEscapes', message });
    }
    await writesNothing(t, ['manifests', '../etc'], 'PathEscapes');
  });

  it('a path that is not there fails the GitRepo, and nothing is written', async (t) => {
    await writesNothing(t, ['manifests', 'gone'], 'PathMissing');
  });

  async function writesNothing(t: TestContext, paths: readonly string[], reason: string): Promise<void> {
    const spec = { repo: `${git.url}/all.git`, branch: 'main', paths };
    const result = await (await runner(t))(fleetGitRepo({ spec }));
    assert.equal(result.kind === 'failed' && result.reason, reason);
    assert.equal((await git.log('all')).length, 1);
  }
});

describe('the files that are parsed are those of Fleet', () => {
  /** What is planned for these files. */
  const planFor = (files: Readonly<Record<string, string>>): Promise<EditPlan> => {
    const entries = Object.keys(files).map((path) => ({ path, oid: path, mode: '100644' as const }));
    const source: Pick<Repository, 'list' | 'read'> = {
      list: async () => ({ files: entries, others: [] }),
      read: async function* (oids) {
        for (const oid of oids) yield { oid, content: Buffer.from(files[oid] ?? '') };
      },
    };
    return planEdits(source, 'head', [], ({ readings: [reading] }) => ({ kind: 'found', scan, reading }));
  };
  const pathsOf = ({ changes }: EditPlan): string[] => changes.map(({ path }) => path);

  it('a file without the bytes "$imagescan" is passed over, whatever it holds', async () => {
    const plan = await planFor({
      'a.yaml': STALE,
      'broken.yaml': 'a: [1\n\tb: {{ x',
      'flux.yaml': 'a: [1 # {"$imagepolicy": "team:web"}\n',
      'list.yaml': '- a\n- b # imagescan: web\n',
    });
    assert.deepEqual([pathsOf(plan), plan.leftAlone, plan.markers], [['a.yaml'], [], 1]);
  });

  it('the bytes "$imagescan" mark nothing where they stand in a value or in prose', async () => {
    const prose = 'note: write {"$imagescan":"web"} there\nlog: |\n  "$imagescan"\n';
    assert.deepEqual(pathsOf(await planFor({ 'a.yaml': STALE, 'prose.yaml': prose })), ['a.yaml']);
  });

  it('a marked file that does not parse or is no mapping is left whole, and the others are written', async () => {
    writesAsFleet('helm template file with token', 'invalid yaml with token', 'yaml directive');
    writesAsFleet('top-level scalar', 'metadata annotations as list', 'annotations non-string');
    const files = { 'bad.yaml': `a: [1\n${STALE}`, 'list.yaml': `- ${STALE}`, 'good.yaml': STALE };
    assert.deepEqual(pathsOf(await planFor(files)), ['good.yaml']);
  });
});
