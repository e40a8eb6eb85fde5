import { randomBytes } from 'node:crypto';
import type { KubeClient } from './client.ts';
import { ApiError } from './errors.ts';
import { apiVersion, EVENTS } from './resource.ts';
import { microTimeText } from './time.ts';

/** The object that an event is about. */
export interface ObjectRef {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export interface EventText {
  readonly type: 'Normal' | 'Warning';
  /** A CamelCase word for why: `Scanned`, `Unauthorized`. */
  readonly reason: string;
  /** A CamelCase word for what was done or tried: `Scan`. */
  readonly action: string;
  /** Beyond 1,024 bytes it is cut: the API server takes no more. */
  readonly message: string;
}

export interface RecorderOptions {
  /** Who reports, a qualified name such as `fleetscan.io/reconciler`. */
  readonly component: string;
  /** Which of them, such as the pod's name. */
  readonly instance: string;
  /** Told of every event that could not be recorded, and why. */
  readonly onError?: (error: unknown) => void;
}

interface Pending {
  readonly about: ObjectRef;
  readonly text: EventText;
  count: number;
  lastSeen: Date;
}

interface Series {
  readonly name: string;
  readonly count: number;
  readonly at: number;
}

const MAX_PENDING = 1000;
const MAX_SERIES = 1000;
/** The API server forgets an event an hour after its last change, by default; until then a repeat is counted, not written anew. */
const SERIES_MS = 50 * 60_000;
const MAX_MESSAGE_BYTES = 1024;

/**
 * Writes Events (events.k8s.io/v1; `kubectl describe` shows them) one after the other in the background. What is said again
 * in the same words about the same object becomes a count on the first Event.
 */
export class EventRecorder {
  readonly #client: KubeClient;
  readonly #options: RecorderOptions;
  readonly #pending = new Map<string, Pending>();
  readonly #series = new Map<string, Series>();
  #sending: Promise<void> | undefined;

  constructor(client: KubeClient, options: RecorderOptions) {
    this.#client = client;
    this.#options = options;
  }

  /** Never throws and never waits. When 1,000 different events are waiting, one more is dropped and told to `onError`. */
  record(about: ObjectRef, text: EventText): void {
    const key = JSON.stringify([
      about.uid,
      about.namespace,
      about.name,
      text.type,
      text.reason,
      text.action,
      text.message,
    ]);
    const waiting = this.#pending.get(key);
    if (waiting !== undefined) {
      waiting.count += 1;
      waiting.lastSeen = new Date();
      return;
    }
    if (this.#pending.size >= MAX_PENDING) {
      this.#options.onError?.(
        new Error(
          `event ${text.reason} about ${about.namespace}/${about.name} dropped: ${MAX_PENDING} are waiting`,
        ),
      );
      return;
    }
    this.#pending.set(key, { about, text, count: 1, lastSeen: new Date() });
    this.#sending ??= this.#sendAll();
  }

  /** Settles when all that was recorded has been sent or has failed. */
  async flush(): Promise<void> {
    await this.#sending;
  }

  async #sendAll(): Promise<void> {
    for (const [key, pending] of this.#pending) {
      this.#pending.delete(key);
      try {
        await this.#send(key, pending);
      } catch (error) {
        this.#options.onError?.(error);
      }
    }
    this.#sending = undefined;
  }

  async #send(key: string, pending: Pending): Promise<void> {
    const series = this.#series.get(key);
    const running = series !== undefined && performance.now() - series.at < SERIES_MS;
    const sent = running ? await this.#addTo(series, pending) : undefined;
    this.#remember(key, sent ?? (await this.#begin(pending)));
  }

  async #addTo({ name, count }: Series, pending: Pending): Promise<Series | undefined> {
    const total = count + pending.count;
    const path = { resource: EVENTS, namespace: namespaceOf(pending.about), name };
    try {
      await this.#client.patch(path, { series: seriesBody(total, pending.lastSeen) }, 'merge');
      return { name, count: total, at: performance.now() };
    } catch (error) {
      if (error instanceof ApiError && error.code === 'NotFound') return undefined;
      throw error;
    }
  }

  async #begin({ about, text, count, lastSeen }: Pending): Promise<Series> {
    const name = eventName(about.name);
    const body = {
      apiVersion: apiVersion(EVENTS),
      kind: 'Event',
      metadata: { name, namespace: namespaceOf(about) },
      eventTime: microTimeText(lastSeen),
      reportingController: this.#options.component,
      reportingInstance: this.#options.instance.slice(0, 128),
      type: text.type,
      reason: text.reason.slice(0, 128),
      action: text.action.slice(0, 128),
      note: cutToBytes(text.message, MAX_MESSAGE_BYTES),
      regarding: about,
      ...(count > 1 && { series: seriesBody(count, lastSeen) }),
    };
    await this.#client.create({ resource: EVENTS, namespace: namespaceOf(about) }, body);
    return { name, count, at: performance.now() };
  }

  #remember(key: string, series: Series): void {
    this.#series.delete(key);
    this.#series.set(key, series);
    const [oldest] = this.#series.keys();
    if (this.#series.size > MAX_SERIES && oldest !== undefined) this.#series.delete(oldest);
  }
}

function seriesBody(count: number, lastSeen: Date): object {
  return { count, lastObservedTime: microTimeText(lastSeen) };
}

// Events about an object that lives in no namespace are kept in this one, by convention.
function namespaceOf({ namespace }: ObjectRef): string {
  return namespace === '' ? 'default' : namespace;
}

function eventName(name: string): string {
  return `${name.slice(0, 230).replace(/[.-]+$/, '')}.${randomBytes(8).toString('hex')}`;
}

/** Cuts text to a length in UTF-8 bytes, between characters, and marks the cut. */
export function cutToBytes(text: string, maxBytes: number): string {
  if (Buffer.byteLength(text) <= maxBytes) return text;
  const room = new Uint8Array(maxBytes - Buffer.byteLength('…'));
  const { read } = new TextEncoder().encodeInto(text, room);
  return `${text.slice(0, read)}…`;
}
