import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import { ScanIndex } from '../../../core/scan.ts';
import { toScan } from '../../../kube/kinds/to-scan.ts';
import type { WriteBackResult } from '../../../reconciler/write-back/result.ts';
import type { WriteBackDependencies } from '../../../reconciler/write-back/write-back.ts';
import { RegistryError } from '../../../registry/errors.ts';
import { type AskAmd64, FleetValues } from '../../../write-back/fleet-values.ts';
import { KnownBlobs } from '../../../write-back/known-blobs.ts';
import { type GitServer, startGitServer } from '../../control-plane/git-server.ts';
import { DIGEST, gitRepo, imageScan, OTHER_DIGEST } from '../samples.ts';
import { runner } from './support.ts';

const CANONICAL = 'index.docker.io/library/nginx';
const INDEX = DIGEST;
const CHILD = OTHER_DIGEST;
const FORMS = ['', ':name', ':tag', ':digest', ':sha'];
const markedBy = (values: readonly string[]): string =>
  FORMS.map((form, i) => `v: ${values[i]} # {"$imagescan": "web${form}"}\n`).join('---\n');
const BEFORE = ['nginx:1.0', 'nginx', '1.0', 'nginx:1.0', 'old'];
const AS_FLEET = [`${CANONICAL}:1.27.0`, CANONICAL, '1.27.0', `${CANONICAL}:1.27.0@${CHILD}`, CHILD];

let server: GitServer;
before(async () => {
  server = await startGitServer();
});
after(() => server.stop());

/** A repository with a marker of each form, and write-backs to it one after the other. */
async function repositoryOf(t: TestContext, name: string, ask: AskAmd64) {
  await server.createRepository(name, { 'a.yaml': markedBy(BEFORE) });
  const write = await runner(t);
  const index = new ScanIndex();
  const status = { canonicalImageName: CANONICAL, latestTag: '1.27.0', latestDigest: INDEX };
  index.put(toScan(imageScan({ spec: { image: 'nginx' }, status })));
  const remembered = { index, known: new KnownBlobs(), fleetValues: new FleetValues(ask) };
  return {
    write: (spec: object, more: Partial<WriteBackDependencies> = {}): Promise<WriteBackResult> => {
      const repo = gitRepo({ spec: { repo: `${server.url}/${name}.git`, branch: 'main', ...spec } });
      return write(repo, '', { ...remembered, ...more });
    },
    content: (): Promise<string> => server.readFile(name, 'a.yaml'),
  };
}

const FLEET = { compatibility: 'Fleet' };
const told: AskAmd64 = async () => CHILD;

describe('compatibility with Fleet', () => {
  it('writes the canonical spelling, and the digest of the linux/amd64 image', async (t) => {
    const { write, content } = await repositoryOf(t, 'fleet', told);
    await write(FLEET);
    assert.equal(await content(), markedBy(AS_FLEET));
  });

  it('is that of the installation where the GitRepo has none, and not where it says None', async (t) => {
    const byDefault = await repositoryOf(t, 'default', told);
    await byDefault.write({}, { compatibility: 'Fleet' });
    assert.equal(await byDefault.content(), markedBy(AS_FLEET));
    const none = await repositoryOf(t, 'none', told);
    await none.write({ compatibility: 'None' }, { compatibility: 'Fleet' });
    assert.equal(
      await none.content(),
      markedBy(['nginx:1.27.0', 'nginx', '1.27.0', `nginx:1.27.0@${INDEX}`, INDEX]),
    );
  });

  it('has nothing to do the next time, and asks nothing', async (t) => {
    let asked = 0;
    const { write } = await repositoryOf(t, 'again', async () => {
      asked += 1;
      return CHILD;
    });
    await write(FLEET);
    const second = await write(FLEET);
    assert.ok(second.kind === 'synced' && second.pushed === undefined, JSON.stringify(second));
    assert.deepEqual([second.plan.current, asked], [FORMS.length, 1]);
  });

  it('taken away brings the index digest back, in the spelling that stands there, and given again its own', async (t) => {
    const { write, content } = await repositoryOf(t, 'back', told);
    await write(FLEET);
    await write({});
    const back = [...AS_FLEET.slice(0, 3), `${CANONICAL}:1.27.0@${INDEX}`, INDEX];
    assert.equal(await content(), markedBy(back));
    await write(FLEET);
    assert.equal(await content(), markedBy(AS_FLEET));
  });

  it('changes the spelling of what was settled without it, too', async (t) => {
    const { write } = await repositoryOf(t, 'settled', told);
    const nameAlone = (name: string): string => `v: ${name} # {"$imagescan": "web:name"}\n`;
    await server.commit('settled', { 'b.yaml': nameAlone('nginx') });
    await write({});
    await write({});
    await write(FLEET);
    assert.equal(await server.readFile('settled', 'b.yaml'), nameAlone(CANONICAL));
  });

  it('leaves a digest alone that the index has not, as Fleet says it, and writes the others', async (t) => {
    const { write, content } = await repositoryOf(t, 'arm', async () => undefined);
    const result = await write(FLEET);
    assert.equal(await content(), markedBy([...AS_FLEET.slice(0, 3), 'nginx:1.0', 'old']));
    assert.ok(result.kind === 'synced');
    const [first] = result.plan.leftAlone;
    assert.equal(first?.reason, 'NoValue');
    assert.ok(first.message.endsWith(`no child with platform linux/amd64 in index ${CANONICAL}@${INDEX}`));
    assert.equal(result.plan.isIncomplete, undefined, 'and that is settled');
  });

  it('leaves a digest alone that the registry does not tell now, and writes it when it does', async (t) => {
    let isAway = true;
    const { write, content } = await repositoryOf(t, 'away', async () => {
      if (isAway) throw new RegistryError('Unreachable', 'cannot reach index.docker.io');
      return CHILD;
    });
    const result = await write(FLEET);
    assert.equal(await content(), markedBy([...AS_FLEET.slice(0, 3), 'nginx:1.0', 'old']));
    assert.ok(result.kind === 'synced');
    assert.match(result.plan.leftAlone[0]?.message ?? '', /Unreachable: cannot reach index.docker.io/);
    assert.equal(result.plan.isIncomplete, true);
    isAway = false;
    await write(FLEET);
    assert.equal(await content(), markedBy(AS_FLEET));
  });
});
