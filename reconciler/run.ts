import type { Logger } from 'pino';
import { type KeeperEvent, keepCertificates } from '../certs/keeper.ts';
import { servingNames } from '../certs/names.ts';
import { connect, type KubeClient } from '../kube/client.ts';
import { EventRecorder } from '../kube/events.ts';
import { lead } from '../kube/lease.ts';
import { servesFleet } from '../program/fleet-takeover.ts';
import { serveProbes } from '../program/probes.ts';
import { together } from '../program/together.ts';
import { GitHubAppTokens } from '../git/github-app-tokens.ts';
import type { Config } from './config.ts';
import { OwnedRescue } from './fleet/owned-rescue.ts';
import { FleetRescue } from './fleet/rescue.ts';
import { ShardLabels } from './fleet/shard-labels.ts';
import { takeLabelsBack } from './fleet/take-labels-back.ts';
import { createRegistryClient } from '../registry/client.ts';
import { pullAccessReader } from '../scan/pull-access.ts';
import { FleetValues } from '../write-back/fleet-values.ts';
import { Metrics } from './metrics.ts';
import { keepSettings, type RegistryFiles, readRegistryFiles } from './registries.ts';
import { ScanLoop } from './scan-loop.ts';
import { createStores, type Stores } from './stores.ts';
import { amd64Asker } from './write-back/ask-amd64.ts';
import { labelAsker } from './write-back/ask-labels.ts';
import { WriteBackLoop } from './write-back/loop.ts';

/** Runs the reconciler until the signal aborts: waits for the Lease, and works while it holds it. */
export async function runReconciler(config: Config, log: Logger, signal: AbortSignal): Promise<void> {
  const files = await readRegistryFiles(config);
  const client = await connect({
    ...(config.kubeconfig && { kubeconfig: config.kubeconfig }),
    userAgent: 'fleetscan-reconciler',
  });
  const metrics = new Metrics();
  // A replica that waits for the Lease is ready: it is there to take over.
  const probes = await serveProbes(config.healthListen, {
    notReady: () => undefined,
    metrics: metrics.registry,
  });
  const { namespace, leaseName, identity } = config;
  const timing = leaseTiming(config.leaseDuration);
  const onError = (error: unknown): void =>
    log.warn({ err: error }, 'the Lease could not be read or renewed; tried again');
  const onTransition = (isLeading: boolean): void => {
    metrics.leading(isLeading);
    log.info({ lease: `${namespace}/${leaseName}`, identity, leading: isLeading }, 'leadership changed');
  };
  try {
    await lead(
      client,
      { namespace, name: leaseName, identity, ...timing, signal, onTransition, onError },
      (leading) => work({ client, config, files, metrics, log }, leading),
    );
  } finally {
    probes.server.close();
    await client.close();
  }
}

/** Three renewals in the time that one holds for, and tries between them. */
function leaseTiming(durationMs: number): { durationMs: number; renewMs: number; retryMs: number } {
  return { durationMs, renewMs: durationMs / 3, retryMs: (durationMs * 2) / 15 };
}

interface Tools {
  readonly client: KubeClient;
  readonly config: Config;
  readonly files: RegistryFiles;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** What the leader does. Ends when the signal aborts, or throws when one of its parts fails. */
async function work({ client, config, files, metrics, log }: Tools, signal: AbortSignal): Promise<void> {
  const events = new EventRecorder(client, {
    component: 'fleetscan.io/reconciler',
    instance: config.identity,
    onError: (error) => log.warn({ err: error }, 'an Event could not be written'),
  });
  const stores = createStores(client, log, config.fleetTakeover, events);
  const shared = { client, scans: stores.scans, index: stores.index, events, metrics, log };
  const { settings, providers } = files;
  const { insecureRegistry: insecureHosts, cacheDir: cacheDirectory, environment } = config;
  const registry = createRegistryClient({ insecureHosts, environment, ...(settings && { settings }) });
  const pullAccess = pullAccessReader(client, { ...(providers && { providers }) });
  const scans = new ScanLoop({ ...shared, registry, pullAccess });
  const rescue = new FleetRescue({ ...shared, gitRepos: stores.gitRepos });
  const ownedRescues = servesFleet(config.fleetTakeover) ? [new OwnedRescue(shared)] : [];
  const shardLabels = shardLabelTask(stores, { client, config, metrics, log });
  const { knownHosts } = config;
  const writeBacks = new WriteBackLoop({
    ...shared,
    gitRepos: stores.gitRepos,
    cacheDirectory,
    environment,
    appTokens: new GitHubAppTokens(),
    askLabels: labelAsker({ registry, pullAccess, scans: stores.scans }),
    fleetValues: new FleetValues(amd64Asker({ registry, pullAccess, scans: stores.scans })),
    compatibility: config.compatibility,
    fleetTakeover: config.fleetTakeover,
    ...(knownHosts && { knownHosts }),
  });
  try {
    await together(
      signal,
      (each) => stores.run(each),
      (each) => scans.run(each),
      (each) => rescue.run(each),
      ...ownedRescues.map((owned) => (each: AbortSignal) => owned.run(each)),
      shardLabels,
      (each) => keepSettings(settings, log, each),
      (each) => writeBacks.run(each),
      (each) => certificates(client, config, log, each),
    );
  } finally {
    await events.flush();
    await registry.close();
  }
}

/** What is done about the shard label of Fleet's ImageScans. */
function shardLabelTask(
  { scans }: Stores,
  { client, config: { fleetTakeover: takeover }, metrics, log }: Omit<Tools, 'files'>,
): (signal: AbortSignal) => Promise<void> {
  if (takeover === 'off') return (signal) => takeLabelsBack({ client, metrics, log }, signal);
  const labels = new ShardLabels({ client, scans, metrics, log, takeover });
  return (signal) => labels.run(signal);
}

async function certificates(
  client: KubeClient,
  config: Config,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, certSecret, webhookConfig, service, webhookUrl } = config;
  const report = (event: KeeperEvent): void => {
    if (event.kind === 'failed') {
      log.warn(
        { err: event.error, retryInMs: event.retryInMs },
        'the certificates could not be looked after; tried again',
      );
      return;
    }
    const level = event.kind === 'settled' ? 'debug' : 'info';
    log[level]({ certificates: event }, 'looked after the certificates');
  };
  await keepCertificates(
    {
      client,
      namespace,
      secretName: certSecret,
      webhookConfiguration: webhookConfig,
      wanted: servingNames({ service, namespace, ...(webhookUrl && { url: webhookUrl }) }),
      report,
    },
    signal,
  );
}
