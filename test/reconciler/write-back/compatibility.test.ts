import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ScanIndex } from '../../../core/scan.ts';
import { toScan } from '../../../kube/kinds/to-scan.ts';
import { RegistryError } from '../../../registry/errors.ts';
import type { WriteBackDependencies } from '../../../reconciler/write-back/write-back.ts';
import { type GitServer, startGitServer } from '../../control-plane/git-server.ts';
import { DIGEST, gitRepo, imageScan, OTHER_DIGEST } from '../samples.ts';
import { runner } from './support.ts';

const CANONICAL = 'index.docker.io/library/nginx';
const MARKED = ['', ':name', ':tag', ':digest']
  .map((form) => `v: nginx # {"$imagescan": "web${form}"}\n`)
  .join('---\n');

let server: GitServer;
before(async () => {
  server = await startGitServer();
});
after(() => server.stop());

/** What the file becomes by a GitRepo of this spec. */
async function written(
  t: Parameters<typeof runner>[0],
  name: string,
  spec: object,
  dependencies: Partial<WriteBackDependencies>,
) {
  await server.createRepository(name, { 'a.yaml': MARKED });
  const write = await runner(t);
  const index = new ScanIndex();
  const status = { canonicalImageName: CANONICAL, latestTag: '1.27.0', latestDigest: DIGEST };
  index.put(toScan(imageScan({ spec: { image: 'nginx' }, status })));
  const repo = gitRepo({ spec: { repo: `${server.url}/${name}.git`, branch: 'main', ...spec } });
  const result = await write(repo, '', { index, ...dependencies });
  const content = await server.readFile(name, 'a.yaml');
  return { result, values: [...content.matchAll(/^v: (\S+)/gm)].map(([, value]) => value) };
}

const askAmd64: WriteBackDependencies['askAmd64'] = () => async () => OTHER_DIGEST;

describe('compatibility with Fleet', () => {
  it('writes the canonical spelling, and the digest of the linux/amd64 image', async (t) => {
    const { values } = await written(t, 'fleet', { compatibility: 'Fleet' }, { askAmd64 });
    assert.deepEqual(values, [
      `${CANONICAL}:1.27.0`,
      CANONICAL,
      '1.27.0',
      `${CANONICAL}:1.27.0@${OTHER_DIGEST}`,
    ]);
  });

  it('is that of the installation where the GitRepo has none, and not where it says None', async (t) => {
    const byDefault = await written(t, 'default', {}, { askAmd64, compatibility: 'Fleet' });
    assert.equal(byDefault.values[3], `${CANONICAL}:1.27.0@${OTHER_DIGEST}`);
    const none = await written(t, 'none', { compatibility: 'None' }, { askAmd64, compatibility: 'Fleet' });
    assert.equal(none.values[3], `nginx:1.27.0@${DIGEST}`);
  });

  it('leaves a digest alone that the index has not, as Fleet says it, and writes the others', async (t) => {
    const spec = { compatibility: 'Fleet' };
    const none: WriteBackDependencies['askAmd64'] = () => async () => undefined;
    const { result, values } = await written(t, 'arm', spec, { askAmd64: none });
    assert.deepEqual(values, [`${CANONICAL}:1.27.0`, CANONICAL, '1.27.0', 'nginx']);
    assert.ok(result.kind === 'synced');
    assert.match(result.plan.leftAlone[0]?.message ?? '', /no child with platform linux\/amd64 in index/);
    assert.equal(result.plan.isIncomplete, undefined);
  });

  it('leaves a digest alone that the registry does not tell now, and is to be tried again', async (t) => {
    const failing: WriteBackDependencies['askAmd64'] = () => async () => {
      throw new RegistryError('Unreachable', 'cannot reach index.docker.io');
    };
    const { result, values } = await written(t, 'away', { compatibility: 'Fleet' }, { askAmd64: failing });
    assert.equal(values[3], 'nginx');
    assert.ok(result.kind === 'synced');
    assert.match(result.plan.leftAlone[0]?.message ?? '', /Unreachable: cannot reach index.docker.io/);
    assert.equal(result.plan.isIncomplete, true);
  });
});
