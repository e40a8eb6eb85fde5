import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { request } from 'undici';
import { carry, type Link, listenTcp } from './sockets.ts';

/** A pod behind a Service, as far as the Service is concerned. */
export interface Replica {
  /** The port of 127.0.0.1 that it serves at. */
  readonly port: number;
  /** The URL whose path `/readyz` says whether it is ready. */
  readonly health: string;
}

/**
 * Stands in for a Kubernetes Service, on one port of 127.0.0.1. As with kube-proxy, each new connection goes to one of the
 * ready replicas in turn and stays with it, even when that replica is not ready any more; with none ready it is refused;
 * one that is given to a replica which does not listen fails, and is not given to another.
 */
export interface Service {
  readonly port: number;
  /** Puts a replica behind the Service; it gets connections as long as it is ready. */
  add(replica: Replica): void;
  /** The ports of the replicas that get new connections now, in the order of their adding. */
  endpoints(): readonly number[];
  /** How many connections there were, and how many of them a replica ended that its client had not ended. */
  connections(): { readonly total: number; readonly endedByReplica: number };
  stop(): Promise<void>;
}

/** The time between two questions whether a replica is ready: what a kubelet and an endpoints controller take together. */
const PERIOD_MS = 250;

/** Starts one on a port that must be free, with no replicas. */
export async function startService(port: number): Promise<Service> {
  const stopped = new AbortController();
  const replicas: Replica[] = [];
  const ready = new Set<Replica>();
  const links = new Set<Link>();
  let total = 0;
  let endedByReplica = 0;
  const endpoints = (): number[] =>
    replicas.filter((replica) => ready.has(replica)).map((replica) => replica.port);

  const server = await listenTcp(port, (client) => {
    const ports = endpoints();
    const target = ports[total % ports.length];
    total += 1;
    if (target === undefined) return client.resetAndDestroy();
    const link = carry(client, target);
    links.add(link);
    client.once('close', () => links.delete(link));
    const countEnd = (): void => {
      if (!client.readableEnded) endedByReplica += 1;
    };
    link.upstream.once('end', countEnd).once('error', countEnd);
  });

  return {
    port: (server.address() as AddressInfo).port,
    add: (replica) => {
      replicas.push(replica);
      void probe(replica, ready, stopped.signal);
    },
    endpoints,
    connections: () => ({ total, endedByReplica }),
    stop: async () => {
      stopped.abort();
      for (const link of links) link.cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function probe(replica: Replica, ready: Set<Replica>, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    if (await isReady(replica, stop)) ready.add(replica);
    else ready.delete(replica);
    await delay(PERIOD_MS, undefined, { signal: stop }).catch(() => {});
  }
}

async function isReady({ health }: Replica, stop: AbortSignal): Promise<boolean> {
  try {
    const { statusCode, body } = await request(`${health}/readyz`, { reset: true, signal: stop });
    await body.dump();
    return statusCode === 200;
  } catch {
    return false;
  }
}
