import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { connect, type KubeClient } from '../../kube/client.ts';
import { API_VERSION } from '../../kube/kinds/common.ts';
import { GIT_REPOS, LEASES } from '../../kube/resource.ts';
import { type Cluster, startCluster } from '../control-plane/cluster.ts';
import { git } from '../control-plane/git-commands.ts';
import { type GitServer, startGitServer } from '../control-plane/git-server.ts';
import { freePort } from '../control-plane/processes.ts';
import { killTree } from '../kill.ts';
import { waitFor } from '../wait.ts';
import { createNamespace, IMAGE, putInForce } from './admission.ts';
import { installProduct, NAMESPACE, type Product, type Program } from './product.ts';
import { installPushGate, PUSH_STEPS, type PushGate } from './push-gate.ts';

/** Seconds, so that the next one need not wait long. */
const LEASE = ['--lease-duration', '2s'];
const FILES = ['a.yaml', 'b.yaml', 'c/d.yaml', 'c/e.yaml', 'f.yml'];
/** Requests to the Git server, in the order in which a write-back makes them. */
const REQUESTS = {
  'asks for the head of the branch': 'GET /apps.git/info/refs?service=git-upload-pack',
  'fetches the branch': 'POST /apps.git/git-upload-pack',
  'begins to push': 'GET /apps.git/info/refs?service=git-receive-pack',
  'sends its commit': 'POST /apps.git/git-receive-pack',
};
const RANDOM_KILLS = process.env['SOAK'] === undefined ? 3 : 200;

function everywhere(tag: string): string[] {
  return FILES.map(() => tag);
}

describe('a reconciler killed in the middle of a write-back', () => {
  let cluster: Cluster;
  let client: KubeClient;
  let server: GitServer;
  let directory: string;
  let gate: PushGate;
  let product: Product;
  const reconcilers = new Map<string, Promise<Program>>();
  /** How long a write-back takes that nobody disturbs. */
  let usualMs: number;
  let lastTag = '1.0.0';
  let minor = 0;

  before(async () => {
    [cluster, server] = await Promise.all([startCluster(), startGitServer()]);
    client = await connect({ kubeconfig: cluster.kubeconfig });
    product = await installProduct(cluster, { webhookPort: await freePort() });
    const text = `image: ${IMAGE}:${lastTag} # {"$imagescan": "web"}\n`;
    const repository = await server.createRepository(
      'apps',
      Object.fromEntries(FILES.map((file) => [file, text])),
    );
    directory = repository.directory;
    gate = await installPushGate(directory);
    await createNamespace(client, 'apps');
    await putInForce(client, { namespace: 'apps', name: 'web', tag: lastTag });
    const metadata = { namespace: 'apps', name: 'apps' };
    const spec = { repo: repository.url, branch: 'main' };
    const object = { apiVersion: API_VERSION, kind: 'GitRepo', metadata, spec };
    await client.create({ resource: GIT_REPOS, namespace: 'apps' }, object);
    for (const identity of ['a', 'b']) start(identity);
    await untilWrittenBack(lastTag);

    const tag = nextTag();
    const begun = performance.now();
    await putInForce(client, { namespace: 'apps', name: 'web', tag });
    await untilWrittenBack(tag);
    usualMs = performance.now() - begun;
    lastTag = tag;
  });

  after(async () => {
    await Promise.allSettled(reconcilers.values());
    await product?.stop();
    await client?.close();
    await Promise.all([server?.stop(), cluster?.stop()]);
  });

  function start(identity: string): void {
    reconcilers.set(identity, product.startReconciler({ identity, args: LEASE }));
  }

  function nextTag(): string {
    minor += 1;
    return `1.${minor}.0`;
  }

  async function leader(): Promise<string> {
    const path = { resource: LEASES, namespace: NAMESPACE, name: 'fleetscan-reconciler' };
    const lease = z.object({ spec: z.object({ holderIdentity: z.string() }) });
    return lease.parse(await client.get(path)).spec.holderIdentity;
  }

  async function untilReplaced(identity: string): Promise<void> {
    const check = async (): Promise<true | undefined> => ((await leader()) === identity ? undefined : true);
    await waitFor(`another than ${identity} to lead`, check);
  }

  /** Kills the one that leads; by turns with the git that it has started, as a container ends, and alone. */
  async function killLeader(): Promise<string> {
    const identity = await leader();
    const { process } = await reconcilers.get(identity)!;
    if (minor % 4 < 2) killTree(process.pid);
    else process.kill('SIGKILL');
    await process.exited;
    return identity;
  }

  /** The head of the branch, and the tag that each of its files has. */
  async function inGit(): Promise<{ head: string; tags: string[] }> {
    const head = await server.head('apps');
    const { stdout } = await git(['grep', '-h', '-o', 'web:[0-9.]*', head], { cwd: directory });
    const tags = stdout.trim().split('\n');
    return { head, tags: tags.map((text) => text.replace('web:', '')) };
  }

  /** Waits until Git says the tag and the GitRepo's status says so; until then all files have one tag. */
  async function untilWrittenBack(tag: string): Promise<string> {
    const gitRepo = z.object({ status: z.object({ commit: z.string().optional() }).default({}) });
    const path = { resource: GIT_REPOS, namespace: 'apps', name: 'apps' };
    const { head, tags } = await waitFor(
      `${tag} in Git`,
      async () => {
        const seen = await inGit();
        if (new Set(seen.tags).size > 1) return seen;
        const { status } = gitRepo.parse(await client.get(path));
        return seen.tags[0] === tag && status.commit === seen.head ? seen : undefined;
      },
      { timeoutMs: 60_000 },
    );
    assert.deepEqual(tags, everywhere(tag));
    return head;
  }

  /** Lets a new value come into force, kills the leader at the moment, and sees what becomes of the write-back. */
  async function killAt(moment: (change: () => Promise<void>) => Promise<void>): Promise<void> {
    const before = await server.head('apps');
    const tag = nextTag();
    await moment(() => putInForce(client, { namespace: 'apps', name: 'web', tag }));
    const killed = await killLeader();
    const { tags } = await inGit();
    assert.deepEqual(tags, everywhere(tags[0] === tag ? tag : lastTag));
    await git(['fsck', '--strict'], { cwd: directory });
    // By turns another one takes over, and the same one begins again first, as a container does that is restarted.
    const isRestarted = minor % 2 === 1;
    if (isRestarted) start(killed);
    await gate.open();
    const head = await untilWrittenBack(tag);
    if (!isRestarted) await untilReplaced(killed);
    await git(['fsck', '--strict'], { cwd: directory });
    const { stdout } = await git(['rev-list', '--count', `${before}..${head}`], { cwd: directory });
    assert.equal(stdout.trim(), '1', 'one value is one commit');
    lastTag = tag;
    if (!isRestarted) start(killed);
  }

  for (const [name, wanted] of Object.entries(REQUESTS)) {
    it(`leaves all of a commit or none when it ${name}, and the next one completes it`, () =>
      killAt(async (change) => {
        const from = server.requests().length;
        await change();
        const isSent = (): true | undefined => server.requests().slice(from).includes(wanted) || undefined;
        await waitFor(wanted, isSent, { everyMs: 1 });
      }));
  }

  for (const step of PUSH_STEPS) {
    it(`leaves all of a commit or none when its push is at ${step}, and the next one completes it`, () =>
      killAt(async (change) => {
        await gate.arm(step);
        await change();
        await gate.untilHeld();
      }));
  }

  it('leaves a push behind that comes late and does not undo what the next one has written', async () => {
    await gate.arm('pre-receive');
    await putInForce(client, { namespace: 'apps', name: 'web', tag: nextTag() });
    await gate.untilHeld();
    const killed = await leader();
    const { process } = await reconcilers.get(killed)!;
    process.kill('SIGKILL');
    await untilReplaced(killed);
    start(killed);

    const tag = nextTag();
    await putInForce(client, { namespace: 'apps', name: 'web', tag });
    const head = await untilWrittenBack(tag);
    await gate.open();
    assert.deepEqual(await inGit(), { head, tags: everywhere(tag) });
    await git(['fsck', '--strict'], { cwd: directory });
    lastTag = tag;
  });

  it(`leaves all of a commit or none at ${RANDOM_KILLS} random moments, and the next one completes it`, async (t) => {
    for (let i = 0; i < RANDOM_KILLS; i += 1) {
      const momentMs = Math.random() * usualMs;
      t.diagnostic(`killed after ${momentMs.toFixed(1)} of the usual ${usualMs.toFixed(0)} ms`);
      await killAt(async (change) => {
        await change();
        // Not to wait for anything: this is the moment.
        await delay(momentMs);
      });
    }
  });
});
