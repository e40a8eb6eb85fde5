import type { AddressInfo } from 'node:net';
import { Transform, type TransformCallback } from 'node:stream';
import { carry, type Link, listenTcp } from './sockets.ts';

/** A TCP proxy that fails as a network does. It carries bytes and reads none of them, so TLS goes through it untouched. */
export interface TcpProxy {
  readonly port: number;
  /** How many connections it carries now. */
  connections(): number;
  /** Resets all connections. New ones are carried as before. */
  cut(): void;
  /** Resets all connections and refuses new ones, until {@link TcpProxy.pass}. */
  refuse(): void;
  /**
   * Lets `bytes` more through to the client of each connection that there is, and so many of each new one; what comes after
   * that waits, in its order, until {@link TcpProxy.pass}.
   */
  hold(bytes: number): void;
  /** Carries all again. */
  pass(): void;
  stop(): Promise<void>;
}

type Mode = { readonly kind: 'pass' | 'refuse' } | { readonly kind: 'hold'; readonly bytes: number };

/** Starts one in front of a port of 127.0.0.1. */
export async function startTcpProxy(target: number): Promise<TcpProxy> {
  const links = new Map<Link, Valve>();
  let mode: Mode = { kind: 'pass' };
  const server = await listenTcp(0, (client) => {
    if (mode.kind === 'refuse') return client.resetAndDestroy();
    const valve = new Valve(mode.kind === 'hold' ? mode.bytes : Infinity);
    const link = carry(client, target, valve);
    links.set(link, valve);
    client.once('close', () => links.delete(link));
  });
  const cut = (): void => {
    for (const link of links.keys()) link.cut();
  };
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => links.size,
    cut,
    refuse: () => {
      mode = { kind: 'refuse' };
      cut();
    },
    hold: (bytes) => {
      mode = { kind: 'hold', bytes };
      for (const valve of links.values()) valve.limit(bytes);
    },
    pass: () => {
      mode = { kind: 'pass' };
      for (const valve of links.values()) valve.open();
    },
    stop: async () => {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Lets so many bytes through and holds the rest back. */
class Valve extends Transform {
  #left: number;
  #held: (() => void) | undefined;

  constructor(bytes: number) {
    super();
    this.#left = bytes;
  }

  limit(bytes: number): void {
    this.#left = bytes;
  }

  open(): void {
    this.#left = Infinity;
    this.#held?.();
    this.#held = undefined;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    const { length } = chunk;
    if (length <= this.#left) {
      this.#left -= length;
      callback(null, chunk);
      return;
    }
    if (this.#left > 0) this.push(chunk.subarray(0, this.#left));
    const rest = chunk.subarray(this.#left);
    this.#left = 0;
    this.#held = () => callback(null, rest);
  }
}
