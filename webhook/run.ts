import type { Logger } from 'pino';
import { CertificateError } from '../certs/errors.ts';
import { type ServingCertificate, servingCertificates } from '../certs/serving.ts';
import { ScanIndex, scanKey, type Scan } from '../core/scan.ts';
import { connect, type KubeClient } from '../kube/client.ts';
import type { ApiError } from '../kube/errors.ts';
import type { InvalidObjectError } from '../kube/kinds/parse.ts';
import { projectFleetScan, projectScan } from '../kube/kinds/to-scan.ts';
import { ToldOnce } from '../kube/kinds/told-once.ts';
import { FLEET_IMAGE_SCANS, IMAGE_SCANS, type Resource } from '../kube/resource.ts';
import { createStore, type Store } from '../kube/store.ts';
import { type FleetTakeover, LOOK_AGAIN_MS, servesFleet } from '../program/fleet-takeover.ts';
import { serveProbes } from '../program/probes.ts';
import { together } from '../program/together.ts';
import { createApp } from './app.ts';
import type { Config } from './config.ts';
import { Metrics } from './metrics.ts';
import { AdmissionServer } from './server.ts';

/**
 * Runs the webhook until the signal aborts, then drains: the scans are followed, and requests answered from them, to the
 * last request.
 */
export async function runWebhook(config: Config, log: Logger, signal: AbortSignal): Promise<void> {
  const client = await connect({
    ...(config.kubeconfig && { kubeconfig: config.kubeconfig }),
    userAgent: 'fleetscan-webhook',
  });
  const background = new AbortController();
  const { stores, index } = followScans(client, config.fleetTakeover, log);
  const isReady = (): boolean => stores.every((store) => store.isSynced);
  const lastContact = (): number => Math.min(...stores.map((store) => store.lastContact));
  const metrics = new Metrics(() => ({ scans: index.size, lastContact: lastContact() }));
  const app = createApp({ scans: index, metrics, log, isReady });
  let server: AdmissionServer | undefined;

  const notReady = (): string | undefined => {
    if (signal.aborted) return 'shutting down';
    if (!isReady()) return 'the scans are still being read';
    return server === undefined ? 'no serving certificate yet' : undefined;
  };
  const probes = await serveProbes(config.healthListen, { notReady, metrics: metrics.registry });

  const serve = async (pair: ServingCertificate): Promise<void> => {
    metrics.servesCertificateUntil(pair.expires);
    if (server !== undefined) return server.exchangeCertificate(pair);
    const starting = new AdmissionServer(app, pair);
    const port = await starting.listen(config.listen.host, config.listen.port);
    server = starting;
    log.info({ port }, 'the webhook is listening');
  };
  const work = together(
    background.signal,
    ...stores.map((store) => (each: AbortSignal) => store.run(each)),
    (each) => followCertificate(client, config, log, each, serve),
  );
  try {
    await Promise.race([work, aborted(signal)]);
    log.info({ drainMs: config.drain }, 'draining');
    await server?.drain(config.drain);
  } finally {
    background.abort();
    await Promise.allSettled([work]);
    await server?.drain(0);
    probes.server.close();
    await client.close();
  }
}

/** The scans of both groups, or of ours alone. */
function followScans(
  client: KubeClient,
  takeover: FleetTakeover,
  log: Logger,
): { stores: readonly Store<Scan>[]; index: ScanIndex } {
  const onError =
    ({ group }: Resource) =>
    (error: ApiError, delayMs: number): void =>
      log.warn({ group, err: error, delayMs }, 'the watch on ImageScans failed; it is resumed');
  const onInvalid = ({ group }: Resource): ((error: InvalidObjectError) => void) => {
    const told = new ToldOnce();
    return (error) => {
      if (told.isNews(error.message))
        log.error({ group, err: error }, 'an ImageScan is not as its CRD says and is passed over');
    };
  };
  const [ownInvalid, fleetsInvalid] = [onInvalid(IMAGE_SCANS), onInvalid(FLEET_IMAGE_SCANS)];
  const ours = createStore<Scan>(
    client,
    { resource: IMAGE_SCANS },
    { project: (raw) => projectScan(raw, ownInvalid), onError: onError(IMAGE_SCANS) },
  );
  const fleets = createStore<Scan>(
    client,
    { resource: FLEET_IMAGE_SCANS },
    {
      project: (raw) => projectFleetScan(raw, fleetsInvalid),
      onError: onError(FLEET_IMAGE_SCANS),
      lookAgainMs: LOOK_AGAIN_MS,
    },
  );
  const stores = servesFleet(takeover) ? [ours, fleets] : [ours];
  const index = new ScanIndex();
  for (const store of stores) {
    store.onChange((change) =>
      change.type === 'put' ? index.put(change.item) : index.delete(scanKey(change.item)),
    );
  }
  return { stores, index };
}

async function followCertificate(
  client: KubeClient,
  { namespace, certSecret }: Config,
  log: Logger,
  signal: AbortSignal,
  serve: (pair: ServingCertificate) => Promise<void>,
): Promise<void> {
  const onError = (error: Error): void => {
    const fields = { err: error, secret: `${namespace}/${certSecret}` };
    if (error instanceof CertificateError) log.warn(fields, 'the serving certificate cannot be used');
    else log.warn(fields, 'the watch on the serving certificate failed; it is resumed');
  };
  for await (const pair of servingCertificates(client, {
    namespace,
    secretName: certSecret,
    signal,
    onError,
  }))
    await serve(pair);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
