import { connect, type KubeClient } from '../../kube/client.ts';
import { type Cluster, startCluster } from '../control-plane/cluster.ts';
import { FLEET_SYSTEM } from '../control-plane/fleet.ts';
import { type GitServer, startGitServer } from '../control-plane/git-server.ts';
import { type Registry, startRegistry } from '../control-plane/registry.ts';
import { createNamespace } from '../e2e/admission.ts';
import { put, secret } from '../e2e/reconciling.ts';
import { installFleetKinds } from './kinds.ts';
import { installOtherFleetKinds } from './other-kinds.ts';

const PUSHER = { username: 'fleet', password: 'a password' };

/** A cluster that is ready for Fleet's controller, a registry and a Git server. */
export interface FleetGround {
  readonly cluster: Cluster;
  readonly client: KubeClient;
  readonly registry: Registry;
  readonly git: GitServer;
  stop(): Promise<void>;
}

/** Starts it all, with namespaces that have the Secret `git` for the Git server. */
export async function startFleetGround(...namespaces: readonly string[]): Promise<FleetGround> {
  const [cluster, registry, git] = await Promise.all([
    startCluster(),
    startRegistry(),
    startGitServer({ credential: PUSHER }),
  ]);
  const client = await connect({ kubeconfig: cluster.kubeconfig });
  await installFleetKinds(client);
  await installOtherFleetKinds(client);
  await createNamespace(client, FLEET_SYSTEM);
  await cluster.apply({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'fleet-controller', namespace: FLEET_SYSTEM },
    data: { config: '{"agentCheckinInterval": "15m"}' },
  });
  for (const namespace of namespaces) {
    await createNamespace(client, namespace);
    await put(client, secret({ namespace, name: 'git' }, 'kubernetes.io/basic-auth', PUSHER));
  }
  const stop = async (): Promise<void> => {
    await client.close();
    await Promise.all([cluster.stop(), registry.stop(), git.stop()]);
  };
  return { cluster, client, registry, git, stop };
}
