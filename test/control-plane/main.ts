import { binaries } from './binaries.ts';
import { startCluster } from './cluster.ts';
import { startGitServer } from './git-server.ts';
import { streamProgress } from './progress.ts';
import { startRegistry } from './registry.ts';
import { BENCH } from './versions.ts';

const progress = streamProgress();
const stopped = new Promise<void>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
});

const { kubectl, helm } = await binaries(BENCH, { progress });
progress.line('starting etcd, kube-apiserver, kube-controller-manager, a registry and a Git server');
const [cluster, registry, git] = await Promise.all([startCluster(), startRegistry(), startGitServer()]);
const { url } = await git.createRepository('demo', { 'README.md': 'A repository to play with.\n' });

console.log(`
export KUBECONFIG=${cluster.kubeconfig}

kubectl   ${kubectl}
helm      ${helm}
registry  ${registry.host} (plain HTTP)
git       ${url} (branch main, push allowed)

Stop with Ctrl-C, or: kill ${process.pid}
`);

await stopped;
progress.line('stopping, and deleting all data');
await Promise.all([cluster.stop(), registry.stop(), git.stop()]);
