import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import type { WriteBackResult } from '../../../reconciler/write-back/result.ts';
import { type GitServer, startGitServer } from '../../control-plane/git-server.ts';
import { fleetGitRepo } from '../../reconciler/samples.ts';
import { marked, runner } from '../../reconciler/write-back/support.ts';
import { writesAsFleet } from './cases.ts';

const STALE = marked('1.0.0');
const FRESH = marked('2.0.0');

describe('write-back looks into the files that Fleet looks into', () => {
  let git: GitServer;
  let repositories = 0;

  before(async () => {
    git = await startGitServer();
  });
  after(() => git?.stop());

  /** Writes 2.0.0 to a repository with these files, for a GitRepo of Fleet's. @returns the paths of those that have it then */
  async function writeTo(t: TestContext, files: Readonly<Record<string, string>>, paths?: readonly string[]) {
    repositories += 1;
    const name = `files-${repositories}`;
    const { url } = await git.createRepository(name, files);
    const spec = { repo: url, branch: 'main', ...(paths && { paths }) };
    const result = await (await runner(t))(fleetGitRepo({ metadata: { name }, spec }));
    const written: string[] = [];
    for (const path of Object.keys(files)) {
      const text = await git.readFile(name, path);
      if (text === FRESH) written.push(path);
      else assert.equal(text, files[path], path);
    }
    return { result, written };
  }

  /** A repository in which each of these files has a stale marker. */
  const stale = (...paths: readonly string[]): Record<string, string> =>
    Object.fromEntries(paths.map((path) => [path, STALE]));

  const reasonOf = (result: WriteBackResult): string =>
    result.kind === 'failed' ? `${result.reason}: ${result.message}` : result.kind;

  it('those that end in .yaml or .yml in lower case, and no others', async (t) => {
    const others = ['c.YAML', 'd.Yml', 'e.json', 'f.tpl', 'g.txt', 'h.yaml.tpl', 'i.yaml.bak', 'jyaml'];
    const { written } = await writeTo(t, stale('a.yaml', 'b.yml', 'sub/.yaml', ...others));
    assert.deepEqual(written, ['a.yaml', 'b.yml', 'sub/.yaml']);
  });

  it('fleet.yaml, charts, kustomizations and values too, in folders that begin with a dot and in node_modules', async (t) => {
    const files = [
      'fleet.yaml',
      'Chart.yaml',
      'values.yaml',
      'overlays/kustomization.yaml',
      '.github/workflows/ci.yml',
      'node_modules/x/a.yaml',
    ];
    assert.deepEqual((await writeTo(t, stale(...files))).written, files);
    writesAsFleet('dotfiles and dirs', 'Chart.yaml appVersion');
  });

  it('all of the repository without paths; with paths each folder with all below it, and each file', async (t) => {
    const files = stale('a.yaml', 'b.yaml', 'sub/c.yaml', 'sub/deep/d.yaml', 'submarine/e.yaml');
    for (const paths of [undefined, [], ['/'], ['.']])
      assert.deepEqual((await writeTo(t, files, paths)).written, Object.keys(files));
    const { written } = await writeTo(t, files, ['sub', 'b.yaml']);
    assert.deepEqual(written, ['b.yaml', 'sub/c.yaml', 'sub/deep/d.yaml']);
    writesAsFleet('path=file');
  });

  // The table of Fleet's own unit test.
  it("paths that lie inside: Fleet's manifests, charts/my-chart, ., / and /etc/passwd", async (t) => {
    const files = stale('manifests/a.yaml', 'charts/my-chart/values.yaml', 'etc/passwd/a.yaml');
    for (const [path, want] of [
      ['manifests', ['manifests/a.yaml']],
      ['charts/my-chart', ['charts/my-chart/values.yaml']],
      ['.', Object.keys(files)],
      ['/', Object.keys(files)],
      ['/etc/passwd', ['etc/passwd/a.yaml']],
    ] as const) {
      assert.deepEqual((await writeTo(t, files, [path])).written, want, path);
    }
  });

  it("paths that lead out: Fleet's ../etc, ../../etc, sub/../../etc and /../etc, and then nothing is written", async (t) => {
    for (const path of ['../etc', '../../etc', 'sub/../../etc', '/../etc']) {
      const { result, written } = await writeTo(t, stale('etc/a.yaml', 'sub/a.yaml'), ['etc', path]);
      assert.equal(reasonOf(result), `PathEscapes: path "${path}" resolves outside the repository root`);
      assert.deepEqual(written, []);
    }
  });

  it('a path that is not there fails the GitRepo, and nothing is written', async (t) => {
    const { result, written } = await writeTo(t, stale('a.yaml'), ['a.yaml', 'gone']);
    assert.match(reasonOf(result), /^PathMissing: path "gone" is not in the repository/);
    assert.deepEqual(written, []);
  });

  it('a file without the bytes "$imagescan" is not even parsed, so it may be anything', async (t) => {
    const { result, written } = await writeTo(t, {
      ...stale('a.yaml'),
      'broken.yaml': 'a: [1\n\tb: {{ x',
      'latin.yaml': 'a: ü\n- b\n',
      'list.yaml': '- a\n- b # imagescan: web\n',
    });
    assert.ok(result.kind === 'synced');
    assert.deepEqual([written, result.plan.leftAlone, result.plan.markers], [['a.yaml'], [], 1]);
  });

  it('a file with them may say so in a value or in prose, which marks nothing', async (t) => {
    const prose = 'note: write {"$imagescan":"web"} there\nlog: |\n  "$imagescan"\n';
    const { result, written } = await writeTo(t, { ...stale('a.yaml'), 'prose.yaml': prose });
    assert.ok(result.kind === 'synced');
    assert.deepEqual(written, ['a.yaml']);
  });

  it('a marked file that does not parse, or is no mapping, is left whole, and the others are written', async (t) => {
    writesAsFleet('helm template file with token', 'invalid yaml with token', 'yaml directive');
    writesAsFleet('top-level scalar', 'metadata annotations as list', 'annotations non-string');
    const files = { 'bad.yaml': `a: [1\n${STALE}`, 'list.yaml': `- ${STALE}`, ...stale('good.yaml') };
    assert.deepEqual((await writeTo(t, files)).written, ['good.yaml']);
  });
});
