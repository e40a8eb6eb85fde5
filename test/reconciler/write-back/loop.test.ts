import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SECRETS } from '../../../kube/resource.ts';
import { RegistryError } from '../../../registry/errors.ts';
import { FleetValues } from '../../../write-back/fleet-values.ts';
import { type Recorded, sendJson } from '../../fakes/apiserver.ts';
import { waitFor } from '../../wait.ts';
import { GIT_REPOS_PATH, IMAGE_SCANS_PATH, OTHER_DIGEST, rawScan } from '../samples.ts';
import { inForce, setUp } from './looping.ts';

describe('WriteBackLoop', () => {
  it('does not begin before all scans are known, so that it reports none as unknown', async (t) => {
    const { server, client, git, stores, start, putRepo, writtenStatuses } = await setUp(t);
    const lists: ((items: object[]) => void)[] = [];
    const isScanList = ({ path, isWatch }: Recorded): boolean => path === IMAGE_SCANS_PATH && !isWatch;
    server.plan(isScanList, (_request, response) => {
      lists.push((items) => sendJson(response, 200, { metadata: { resourceVersion: '100' }, items }));
    });
    server.put('/api/v1/secrets', {
      metadata: { namespace: 'team', name: 'git' },
      type: 'kubernetes.io/basic-auth',
      data: { password: 'eA==' },
    });
    putRepo({ spec: { clientSecretName: 'git' } });
    start();
    await stores.gitRepos.synced;
    // It would first read the Secret; a few questions of our own take longer than it takes to ask that one.
    const secretsRead = (): number =>
      server.requests.filter(({ path }) => path.endsWith('/secrets/git')).length;
    for (let i = 0; i < 5; i++) await client.list({ resource: SECRETS });
    assert.equal(secretsRead(), 0);

    const answer = await waitFor('the list of scans', () => lists[0]);
    answer([rawScan({ status: inForce('2.0.0') })]);
    await waitFor('the commit', async () => ((await git.log('apps')).length === 2 ? true : undefined));
    await waitFor('the status', () => writtenStatuses()[0]);
    assert.doesNotMatch(writtenStatuses().join('\n'), /UnknownScan/);
  });

  it('goes on with the others beside an interval that is no duration, and says so in the condition', async (t) => {
    const { server, git, stores, start, putRepo } = await setUp(t);
    server.put(IMAGE_SCANS_PATH, rawScan({ status: inForce('2.0.0') }));
    putRepo({ metadata: { name: 'odd' }, spec: { imageScanInterval: '1d' } });
    putRepo();
    start();
    await waitFor('the commit', async () => ((await git.log('apps')).length === 2 ? true : undefined));
    await waitFor('the condition', () =>
      stores.gitRepos.get('team/odd')?.status.conditions?.find(({ reason }) => reason === 'InvalidInterval'),
    );
  });

  it('takes a GitRepo that is deleted while it is written back for no failure', async (t) => {
    const { server, git, lines, start, putRepo } = await setUp(t);
    server.put(IMAGE_SCANS_PATH, rawScan({ status: inForce('2.0.0') }));
    putRepo();
    server.plan(
      ({ method, path }) => method === 'PATCH' && path.endsWith('/gitrepos/apps/status'),
      (_request, response) => {
        server.remove(GIT_REPOS_PATH, 'team', 'apps');
        sendJson(response, 404, { kind: 'Status', code: 404, reason: 'NotFound', message: 'not found' });
      },
    );
    start();
    await waitFor('the commit', async () => ((await git.log('apps')).length === 2 ? true : undefined));
    putRepo({ metadata: { name: 'next' } });
    await waitFor('the next one', () =>
      server.requests.find(
        ({ method, path }) => method === 'PATCH' && path.endsWith('/gitrepos/next/status'),
      ),
    );
    assert.deepEqual(
      lines.filter(({ level }) => level >= 40),
      [],
    );
  });

  it('takes what a run found for a GitRepo that was deleted for nothing that it knows of the next of that name', async (t) => {
    const { server, git, stores, start, putRepo } = await setUp(t);
    const stale = 'image: registry.example/web:1.0.0 # {"$imagescan": "web"}\n';
    await git.commit('apps', { 'b.yaml': stale });
    server.put(IMAGE_SCANS_PATH, rawScan({ status: inForce('2.0.0') }));
    start();
    await Promise.all([stores.scans.synced, stores.gitRepos.synced]);
    const secrets: (() => void)[] = [];
    server.plan(
      ({ path }) => path.endsWith('/secrets/git'),
      (_request, response) => {
        const data = { username: 'eA==', password: 'eA==' };
        secrets.push(() => sendJson(response, 200, { type: 'kubernetes.io/basic-auth', data }));
      },
    );
    putRepo({ metadata: { uid: 'first' }, spec: { paths: ['a.yaml'], clientSecretName: 'git' } });
    const answer = await waitFor('the run for the first', () => secrets[0]);
    server.remove(GIT_REPOS_PATH, 'team', 'apps');
    await waitFor('the deletion', () => (stores.gitRepos.get('team/apps') === undefined ? true : undefined));
    putRepo({ metadata: { uid: 'second' }, spec: { paths: ['b.yaml'] } });
    await waitFor('the second', () => stores.gitRepos.get('team/apps'));
    answer();
    await waitFor('the commit for the second', async () =>
      (await git.readFile('apps', 'b.yaml', 'main')).includes('2.0.0') ? true : undefined,
    );
  });

  it('tries again what it could not ask a registry, though nothing else changed', async (t) => {
    let asked = 0;
    const fleetValues = new FleetValues(async () => {
      asked += 1;
      if (asked === 1) throw new RegistryError('Unreachable', 'cannot reach registry.example');
      return OTHER_DIGEST;
    });
    const { server, git, start, putRepo, writtenStatuses } = await setUp(t, { fleetValues });
    await git.commit('apps', { 'a.yaml': 'image: x # {"$imagescan": "web:digest"}\n' });
    server.put(IMAGE_SCANS_PATH, rawScan({ status: inForce('2.0.0') }));
    putRepo({ spec: { compatibility: 'Fleet', imageScanInterval: '1s' } });
    start();
    await waitFor('the digest in Git', async () =>
      (await git.readFile('apps', 'a.yaml')).includes(`registry.example/web:2.0.0@${OTHER_DIGEST}`)
        ? true
        : undefined,
    );
    const [first] = writtenStatuses();
    assert.match(
      first ?? '',
      /left alone: a\.yaml:1: NoValue: .*Unreachable: cannot reach registry\.example/,
    );
    assert.equal(asked, 2);
  });

  it('begins at once when a value changes, though it waits for its next try', async (t) => {
    const { server, git, start, putRepo, writtenStatuses } = await setUp(t);
    server.put(IMAGE_SCANS_PATH, rawScan({ status: inForce('2.0.0') }));
    putRepo({ spec: { branch: 'later' } });
    start();
    await waitFor('a failure', () => writtenStatuses().find((body) => body.includes('BranchMissing')));
    await git.createRepository('apps', { 'a.yaml': 'x: 1\n' }, 'later');
    server.put(IMAGE_SCANS_PATH, rawScan({ status: inForce('2.1.0') }));
    // The pause after a failure is ten seconds.
    await waitFor('a success', () => writtenStatuses().find((body) => body.includes('NothingMarked')), {
      timeoutMs: 8000,
    });
  });

  it('is woken by a value for the GitRepos whose markers may name it, and no others', async (t) => {
    const { server, git, start, putRepo, writtenStatuses } = await setUp(t);
    server.put(IMAGE_SCANS_PATH, rawScan({ spec: { gitrepoName: 'apps' }, status: inForce('2.0.0') }));
    putRepo();
    putRepo({ metadata: { name: 'other' } });
    start();
    const written = (name: string): number =>
      server.requests.filter(
        ({ method, path }) => method === 'PATCH' && path.endsWith(`/gitrepos/${name}/status`),
      ).length;
    await waitFor('the first runs', () => (written('other') > 0 && written('apps') > 0 ? true : undefined));
    const [before] = [written('other')];
    for (const tag of ['2.1.0', '2.2.0', '2.3.0']) {
      server.put(IMAGE_SCANS_PATH, rawScan({ spec: { gitrepoName: 'apps' }, status: inForce(tag) }));
      await waitFor(`the commit of ${tag}`, async () =>
        (await git.readFile('apps', 'a.yaml')).includes(tag) ? true : undefined,
      );
    }
    await waitFor('the last status', () => (writtenStatuses().length >= 4 ? true : undefined));
    assert.ok(
      written('other') <= before + 1,
      'one more, where the first found the branch moved by the other',
    );
  });
});
