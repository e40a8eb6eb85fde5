import assert from 'node:assert/strict';
import { parseReference, type Reference } from '../../core/reference.ts';
import {
  createRegistryClient,
  type RegistryClient,
  type RegistryClientOptions,
} from '../../registry/client.ts';
import type { Clock } from '../../registry/clock.ts';
import { RegistryError, type RegistryErrorCode } from '../../registry/errors.ts';
import type { Access } from '../../registry/request.ts';
import { DEFAULT_SETTINGS, type HostSettings, type RegistrySettings } from '../../registry/settings.ts';
import { type Dialect, type FakeRegistry, startFakeRegistry } from '../fakes/registry.ts';

/** Time that passes only when somebody sleeps, at once, and is written down. */
export class ManualClock implements Clock {
  time = Date.UTC(2026, 0, 1);
  readonly pauses: number[] = [];

  now(): number {
    return this.time;
  }

  random(): number {
    return 0.5;
  }

  async sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    this.pauses.push(ms);
    this.time += ms;
  }
}

/** Settings for all hosts alike. */
export function settingsOf(settings: Partial<HostSettings> = {}): RegistrySettings {
  return { for: () => ({ ...DEFAULT_SETTINGS, ...settings }) };
}

export const ANONYMOUS: Access = { credentials: [] };
export const ALICE = { username: 'alice', password: 'correct-horse' };
export const MALLORY = { username: 'mallory', password: 'wrong-battery' };

/** A fake registry, a client for it and a clock for both, closed at the end of the scope. */
export async function startBench(
  dialect: Partial<Dialect> = {},
  options: RegistryClientOptions = {},
): Promise<Bench> {
  const clock = new ManualClock();
  const registry = await startFakeRegistry(dialect);
  return new Bench(registry, createRegistryClient({ clock, ...options }), clock);
}

export class Bench {
  readonly registry: FakeRegistry;
  readonly client: RegistryClient;
  readonly clock: ManualClock;

  constructor(registry: FakeRegistry, client: RegistryClient, clock: ManualClock) {
    this.registry = registry;
    this.client = client;
    this.clock = clock;
  }

  image(tag = '1.0', repository = 'acme/app'): Reference & { tag: string } {
    return { ...parseReference(`${this.registry.host}/${repository}`), tag };
  }

  async list(access: Access = ANONYMOUS): Promise<readonly string[]> {
    const { tags } = await this.client.listTags(this.image(), access);
    return tags;
  }

  resolve(access: Access = ANONYMOUS): Promise<{ digest: string }> {
    return this.client.resolve(this.image(), access);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
    await this.registry.stop();
  }
}

/** Fails unless the promise fails with this code and with a message that matches. Returns the error. */
export async function failure(
  promise: Promise<unknown>,
  code: RegistryErrorCode,
  message: RegExp = /./,
): Promise<RegistryError> {
  const error = await promise.then(
    (value) => assert.fail(`gave ${JSON.stringify(value)?.slice(0, 200)} in place of ${code}`),
    (error: unknown) => error,
  );
  assert.ok(error instanceof RegistryError, `${String(error)} is no RegistryError`);
  assert.equal(error.code, code, error.message);
  assert.match(error.message, message);
  for (const secret of [ALICE.password, MALLORY.password]) assert.ok(!error.message.includes(secret));
  return error;
}

export function tagNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `1.0.${index}`);
}
