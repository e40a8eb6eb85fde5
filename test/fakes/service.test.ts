import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { freePort } from '../control-plane/processes.ts';
import { waitFor } from '../wait.ts';
import { type Service, startService } from './service.ts';

/** Says its name to each connection, and whether it is ready to whoever asks. */
class NamedReplica {
  ready = true;
  port = 0;
  health = '';
  readonly #name: string;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #probes: HttpServer | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  async start(): Promise<this> {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('data', () => socket.write(this.#name));
    }).listen(0, '127.0.0.1');
    this.#probes = createHttpServer((_request, response) => {
      response.writeHead(this.ready ? 200 : 503).end();
    }).listen(0, '127.0.0.1');
    await Promise.all([once(this.#server, 'listening'), once(this.#probes, 'listening')]);
    this.port = (this.#server.address() as AddressInfo).port;
    this.health = `http://127.0.0.1:${(this.#probes.address() as AddressInfo).port}`;
    return this;
  }

  endConnections(): void {
    for (const socket of this.#sockets) socket.end();
  }

  /** It takes no more connections, and says nothing of that at its probes. */
  stopListening(): void {
    this.#server?.close();
  }

  stop(): void {
    this.stopListening();
    this.#probes?.closeAllConnections();
    this.#probes?.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

describe('the fake Service', () => {
  let service: Service;
  let a: NamedReplica;
  let b: NamedReplica;
  const clients: Socket[] = [];

  beforeEach(async () => {
    service = await startService(await freePort());
    [a, b] = await Promise.all([new NamedReplica('a').start(), new NamedReplica('b').start()]);
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    await service.stop();
    for (const replica of [a, b]) replica.stop();
  });

  async function untilEndpoints(...replicas: NamedReplica[]): Promise<void> {
    const wanted = replicas.map(({ port }) => port).join();
    await waitFor(`the endpoints ${wanted}`, () =>
      service.endpoints().join() === wanted ? true : undefined,
    );
  }

  /** Opens a connection; `ask` gives the name of the replica that it leads to, or the error. */
  function open(): { socket: Socket; ask: () => Promise<string> } {
    const socket = connect({ port: service.port, host: '127.0.0.1' });
    clients.push(socket);
    socket.on('error', () => {});
    const ask = async (): Promise<string> => {
      socket.write('?');
      const answer = once(socket, 'data').then(([bytes]) => String(bytes));
      return Promise.race([answer, once(socket, 'close').then(() => 'closed')]).catch(String);
    };
    return { socket, ask };
  }

  it('spreads connections over the ready replicas', async () => {
    for (const replica of [a, b]) service.add(replica);
    await untilEndpoints(a, b);
    const names: string[] = [];
    for (let i = 0; i < 6; i += 1) names.push(await open().ask());
    assert.deepEqual(names.toSorted().join(''), 'aaabbb');
  });

  it('gives a replica that is not ready no new connections, and leaves those that it has', async () => {
    for (const replica of [a, b]) service.add(replica);
    await untilEndpoints(a, b);
    const [first, second] = [open(), open()];
    const stays = (await first.ask()) === 'a' ? first : second;
    a.ready = false;
    await untilEndpoints(b);
    assert.deepEqual([await open().ask(), await open().ask(), await stays.ask()], ['b', 'b', 'a']);
    a.ready = true;
    await untilEndpoints(a, b);
  });

  it('refuses connections while no replica is ready', async () => {
    a.ready = false;
    service.add(a);
    assert.match(await open().ask(), /closed|ECONNRESET/);
  });

  it('does not give a connection to another replica when the first does not listen', async () => {
    for (const replica of [a, b]) service.add(replica);
    await untilEndpoints(a, b);
    a.stopListening();
    const answers = [await open().ask(), await open().ask()];
    assert.equal(answers.filter((answer) => answer === 'b').length, 1);
    assert.equal(answers.filter((answer) => /closed|ECONNRESET/.test(answer)).length, 1);
  });

  it('counts the connections that a replica ended, and not those that a client did', async () => {
    service.add(a);
    await untilEndpoints(a);
    const [kept, ended] = [open(), open()];
    await Promise.all([kept.ask(), ended.ask()]);
    ended.socket.end();
    await once(ended.socket, 'close');
    assert.deepEqual(service.connections(), { total: 2, endedByReplica: 0 });
    a.endConnections();
    await once(kept.socket, 'close');
    assert.deepEqual(service.connections(), { total: 2, endedByReplica: 1 });
  });
});
