import { setTimeout as delay } from 'node:timers/promises';
import { Backoff } from '../kube/backoff.ts';
import type { KubeClient } from '../kube/client.ts';
import type { ObjectPath } from '../kube/resource.ts';
import { listAndWatch } from '../kube/watch.ts';
import type { KeySource } from './authority.ts';
import { Bell } from './bell.ts';
import { CertificateObjectError } from './errors.ts';
import { CertificateObjects } from './exchange.ts';
import type { ServingNames } from './names.ts';
import { perform } from './perform.ts';
import { DEFAULT_POLICY, nextStep, type RotationPolicy, type Step } from './rotation.ts';

/** What a keeper tells its caller, for logs and metrics. Nothing in it is secret. */
export type KeeperEvent =
  | { readonly kind: 'performed'; readonly step: Step['kind']; readonly reason: string }
  /** Somebody else changed the object first; the step is chosen again from what is there now. */
  | { readonly kind: 'overtaken'; readonly step: Step['kind'] }
  /** Nothing to do until `checkAt`. `isPublished` is false while there is no webhook configuration. */
  | { readonly kind: 'settled'; readonly checkAt: Date; readonly isPublished: boolean }
  | { readonly kind: 'failed'; readonly error: unknown; readonly retryInMs: number };

export interface KeeperOptions {
  readonly client: KubeClient;
  /** Of the Secret. */
  readonly namespace: string;
  readonly secretName: string;
  /** Name of the MutatingWebhookConfiguration; all its webhooks get the bundle. */
  readonly webhookConfiguration: string;
  readonly wanted: ServingNames;
  readonly report: (event: KeeperEvent) => void;
  readonly policy?: RotationPolicy;
  /** For tests: the clock, and where keys come from. */
  readonly now?: () => Date;
  readonly newKeys?: KeySource;
}

/** From nothing to done takes three steps, and the worst damage seven. */
const MOST_STEPS = 20;
/** Timers stand still while a machine sleeps, and take no more than 24 days: look again at least this often. */
const LONGEST_WAIT_MS = 3_600_000;
/** After work, so that two controllers that undo each other's bundle do not do it as fast as the network allows. */
const PAUSE_AFTER_WORK_MS = 1000;

/**
 * Keeps the webhook's certificates until the signal aborts; then it returns. Meant for the one replica that leads, though
 * two at once do no harm: every write holds only for the object that was read.
 *
 * It looks when it starts, when either object changes, and when something becomes due. A failure is reported and tried
 * again after a growing pause.
 */
export async function keepCertificates(options: KeeperOptions, signal: AbortSignal): Promise<void> {
  const own = new AbortController();
  const end = AbortSignal.any([signal, own.signal]);
  const bell = new Bell();
  const objects = new CertificateObjects(options);
  try {
    await Promise.all([
      keep(options, objects, bell, end),
      ...objects.paths.map((path) => ringOnChange(options, path, bell, end)),
    ]);
  } finally {
    own.abort();
  }
}

async function keep(
  options: KeeperOptions,
  objects: CertificateObjects,
  bell: Bell,
  signal: AbortSignal,
): Promise<void> {
  const backoff = new Backoff(1000, 60_000);
  while (!signal.aborted) {
    try {
      const { checkAt, worked } = await settle(options, objects, signal);
      backoff.reset();
      if (worked) await pause(PAUSE_AFTER_WORK_MS, signal);
      await bell.wait(Math.min(checkAt.getTime() - clock(options).getTime(), LONGEST_WAIT_MS), signal);
    } catch (error) {
      if (signal.aborted) return;
      const retryInMs = backoff.next();
      options.report({ kind: 'failed', error, retryInMs });
      await pause(retryInMs, signal);
    }
  }
}

/** Takes steps until there is none to take. */
async function settle(
  options: KeeperOptions,
  objects: CertificateObjects,
  signal: AbortSignal,
): Promise<{ checkAt: Date; worked: boolean }> {
  const { wanted, report, policy = DEFAULT_POLICY, newKeys } = options;
  for (let count = 0; count < MOST_STEPS; count += 1) {
    const now = clock(options);
    const found = await objects.read(now, signal);
    const step = nextStep(found.state, wanted, now, policy);
    if (step.kind === 'none') {
      report({ kind: 'settled', checkAt: step.checkAt, isPublished: found.webhooks !== undefined });
      return { checkAt: step.checkAt, worked: count > 0 };
    }
    const change = await perform(step, found.secret?.content, {
      wanted,
      policy,
      now,
      ...(newKeys && { newKeys }),
    });
    const isWritten = await objects.write(found, change, signal);
    report(
      isWritten
        ? { kind: 'performed', step: step.kind, reason: step.reason }
        : { kind: 'overtaken', step: step.kind },
    );
  }
  const message = `no end after ${MOST_STEPS} steps: does something else write ${objects.description}?`;
  throw new CertificateObjectError('Unsettled', message);
}

async function ringOnChange(
  { client, report }: KeeperOptions,
  { name, ...collection }: ObjectPath,
  bell: Bell,
  signal: AbortSignal,
): Promise<void> {
  const changes = listAndWatch(client, collection, {
    project: () => true,
    fieldSelector: `metadata.name=${name}`,
    signal,
    onError: (error, retryInMs) => report({ kind: 'failed', error, retryInMs }),
  });
  for await (const change of changes) {
    if (change.type !== 'alive') bell.ring();
  }
}

function clock({ now }: KeeperOptions): Date {
  return now?.() ?? new Date();
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}
