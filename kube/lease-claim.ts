import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { CodedError } from '../core/errors.ts';
import type { KubeClient } from './client.ts';
import { ApiError } from './errors.ts';
import type { LeaseOptions } from './lease.ts';
import { apiVersion, LEASES, type ObjectPath } from './resource.ts';
import { microTimeText } from './time.ts';

/** The Lease is another's now, or was not renewed in time. */
export class LeaseLostError extends CodedError<'LeaseLost'> {}

/** The most that giving a Lease up may delay the end of the program. */
const RELEASE_MS = 5000;

const leaseObject = z.object({
  metadata: z.object({ resourceVersion: z.string() }),
  spec: z
    .object({
      holderIdentity: z.string().nullish(),
      leaseDurationSeconds: z.int().nullish(),
      leaseTransitions: z.int().nullish(),
      renewTime: z.string().nullish(),
    })
    .default({}),
});
type LeaseObject = z.infer<typeof leaseObject>;

/**
 * One contender's hold on a Lease (coordination.k8s.io/v1). Every write names the resourceVersion it was decided on, so
 * the API server refuses one of two that decide at once. Whether a Lease has expired is judged by how long *we* have seen
 * it unchanged: clocks of different machines are never compared.
 */
export class LeaseClaim {
  readonly #client: KubeClient;
  readonly #options: LeaseOptions;
  readonly #collection: ObjectPath;
  readonly #path: ObjectPath;
  readonly #durationMs: number;
  readonly #retryMs: number;
  #seen: { spec: string; at: number } | undefined;
  #resourceVersion = '';
  #renewedAt = 0;

  constructor(client: KubeClient, options: LeaseOptions) {
    this.#client = client;
    this.#options = options;
    this.#collection = { resource: LEASES, namespace: options.namespace };
    this.#path = { ...this.#collection, name: options.name };
    this.#durationMs = options.durationMs ?? 15_000;
    this.#retryMs = options.retryMs ?? 2000;
  }

  /** Waits until the Lease is ours. False when the options' signal aborts before. */
  async take(): Promise<boolean> {
    const { signal } = this.#options;
    while (!signal.aborted) {
      if (await this.#attempt(() => this.#tryTake(signal), signal)) return true;
      await pause(this.#retryMs * (1 + Math.random() / 5), signal);
    }
    return false;
  }

  /**
   * Renews the Lease until `end` aborts.
   *
   * @throws {LeaseLostError} when it is another's, or two thirds of its duration went by without a renewal
   */
  async keep(end: AbortSignal): Promise<void> {
    while (!end.aborted) {
      await pause(this.#options.renewMs ?? 5000, end);
      await this.#renewInTime(end);
    }
  }

  /** Leaves the Lease to whoever comes next, at once. A failure does no harm: the Lease then expires. */
  async release(): Promise<void> {
    const signal = AbortSignal.timeout(RELEASE_MS);
    await this.#attempt(async () => {
      // A renewal that was given up half way may still arrive, and come between reading and writing.
      while (!(await this.#tryRelease(signal))) await pause(this.#retryMs, signal);
      return true;
    });
  }

  async #tryRelease(signal: AbortSignal): Promise<boolean> {
    const lease = await this.#read(signal);
    if (lease?.spec.holderIdentity !== this.#options.identity) return true;
    const free = { holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTimeText(new Date()) };
    return this.#write(lease, free, signal);
  }

  async #tryTake(signal: AbortSignal): Promise<boolean> {
    const lease = await this.#read(signal);
    if (lease === undefined) return this.#create(signal);
    if (!this.#isFree(lease)) return false;
    const { identity } = this.#options;
    const transitions = (lease.spec.leaseTransitions ?? 0) + (lease.spec.holderIdentity === identity ? 0 : 1);
    return this.#write(lease, { ...this.#freshSpec(), leaseTransitions: transitions }, signal);
  }

  #isFree({ spec }: LeaseObject): boolean {
    const holder = spec.holderIdentity ?? '';
    if (holder === '' || holder === this.#options.identity) return true;
    const text = JSON.stringify(spec);
    if (this.#seen?.spec !== text) this.#seen = { spec: text, at: performance.now() };
    const durationMs = spec.leaseDurationSeconds ? spec.leaseDurationSeconds * 1000 : this.#durationMs;
    return performance.now() - this.#seen.at > durationMs;
  }

  async #renewInTime(end: AbortSignal): Promise<void> {
    const left = this.#renewedAt + (this.#durationMs * 2) / 3 - performance.now();
    const limit = AbortSignal.any([end, AbortSignal.timeout(Math.max(0, Math.ceil(left)))]);
    while (!limit.aborted) {
      if (await this.#attempt(() => this.#renew(limit), limit)) return;
      await pause(this.#retryMs, limit);
    }
    if (!end.aborted)
      throw new LeaseLostError('LeaseLost', `the Lease ${this.#name} could not be renewed in time`);
  }

  async #renew(signal: AbortSignal): Promise<boolean> {
    const held = { metadata: { resourceVersion: this.#resourceVersion }, spec: {} };
    const renewTime = microTimeText(new Date());
    if (await this.#write(held, { renewTime }, signal)) return true;
    // Somebody wrote it: perhaps only a label.
    const lease = await this.#read(signal);
    if (lease?.spec.holderIdentity === this.#options.identity)
      return this.#write(lease, { renewTime }, signal);
    throw new LeaseLostError(
      'LeaseLost',
      `the Lease ${this.#name} is held by "${lease?.spec.holderIdentity ?? ''}" now`,
    );
  }

  async #read(signal: AbortSignal): Promise<LeaseObject | undefined> {
    try {
      return leaseObject.parse(await this.#client.get(this.#path, signal));
    } catch (error) {
      if (error instanceof ApiError && error.code === 'NotFound') return undefined;
      throw error;
    }
  }

  async #create(signal: AbortSignal): Promise<boolean> {
    const body = {
      apiVersion: apiVersion(LEASES),
      kind: 'Lease',
      metadata: { name: this.#options.name },
      spec: { ...this.#freshSpec(), leaseTransitions: 0 },
    };
    return this.#hold(() => this.#client.create(this.#collection, body, {}, signal));
  }

  async #write(over: LeaseObject, spec: object, signal: AbortSignal): Promise<boolean> {
    const body = { metadata: { resourceVersion: over.metadata.resourceVersion }, spec };
    return this.#hold(() => this.#client.patch(this.#path, body, 'merge', {}, signal));
  }

  /** True when the write went through; false when somebody else's came before it. Time counts from before the call. */
  async #hold(write: () => Promise<unknown>): Promise<boolean> {
    const at = performance.now();
    try {
      this.#resourceVersion = leaseObject.parse(await write()).metadata.resourceVersion;
      this.#renewedAt = at;
      return true;
    } catch (error) {
      if (error instanceof ApiError && ['Conflict', 'AlreadyExists', 'NotFound'].includes(error.code))
        return false;
      throw error;
    }
  }

  /** Runs one step; a failed call is told and counts as no. */
  async #attempt(step: () => Promise<boolean>, signal?: AbortSignal): Promise<boolean> {
    try {
      return await step();
    } catch (error) {
      if (error instanceof LeaseLostError) throw error;
      if (!signal?.aborted) this.#options.onError?.(error);
      return false;
    }
  }

  #freshSpec(): object {
    const now = microTimeText(new Date());
    return {
      holderIdentity: this.#options.identity,
      leaseDurationSeconds: Math.ceil(this.#durationMs / 1000),
      acquireTime: now,
      renewTime: now,
    };
  }

  get #name(): string {
    return `${this.#options.namespace}/${this.#options.name}`;
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}
