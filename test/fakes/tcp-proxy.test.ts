import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { waitFor } from '../wait.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

/** Sends every byte back in upper case, and says good-bye when the client ends. */
function startEcho(): Server {
  return createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    socket.on('data', (bytes) => socket.write(String(bytes).toUpperCase()));
    socket.on('end', () => socket.end('bye'));
  }).listen(0, '127.0.0.1');
}

describe('the TCP proxy', () => {
  let echo: Server;
  let proxy: TcpProxy;
  const clients: Socket[] = [];

  beforeEach(async () => {
    echo = startEcho();
    await once(echo, 'listening');
    proxy = await startTcpProxy((echo.address() as AddressInfo).port);
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    await proxy.stop();
    echo.close();
  });

  function open(): { socket: Socket; received: () => string; failed: Promise<string> } {
    const socket = connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true });
    clients.push(socket);
    let received = '';
    socket.on('data', (bytes) => (received += String(bytes)));
    const failed = new Promise<string>((resolve) => socket.once('error', ({ message }) => resolve(message)));
    return { socket, received: () => received, failed };
  }

  async function untilReceived({ received }: { received: () => string }, wanted: string): Promise<void> {
    await waitFor(wanted, () => (received() === wanted ? true : undefined));
  }

  it('carries bytes both ways, and each side can end while the other still sends', async () => {
    const socket = connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true });
    clients.push(socket);
    socket.end('hello ');
    assert.equal(await text(socket), 'HELLO bye');
    await waitFor('the connection to be gone', () => (proxy.connections() === 0 ? true : undefined));
  });

  it('cuts the connections that are there, and carries new ones', async () => {
    const first = open();
    first.socket.write('a');
    await untilReceived(first, 'A');
    proxy.cut();
    assert.match(await first.failed, /ECONNRESET/);
    const second = open();
    second.socket.write('b');
    await untilReceived(second, 'B');
    assert.equal(proxy.connections(), 1);
  });

  it('refuses new connections too until it passes again', async () => {
    const first = open();
    first.socket.write('a');
    await untilReceived(first, 'A');
    proxy.refuse();
    await first.failed;
    const second = open();
    second.socket.write('b');
    assert.match(await second.failed, /ECONNRESET/);
    proxy.pass();
    const third = open();
    third.socket.write('c');
    await untilReceived(third, 'C');
  });

  it('holds back what comes after so many bytes, on each connection, and loses nothing', async () => {
    const before = open();
    before.socket.write('ab');
    await untilReceived(before, 'AB');
    proxy.hold(3);
    before.socket.write('cdefg');
    const fresh = open();
    fresh.socket.end('hijklm');
    await untilReceived(before, 'ABCDE');
    await untilReceived(fresh, 'HIJ');
    proxy.pass();
    await untilReceived(before, 'ABCDEFG');
    await untilReceived(fresh, 'HIJKLMbye');
  });

  it('holds back all when it may let nothing through', async () => {
    proxy.hold(0);
    const held = open();
    held.socket.write('a');
    await waitFor('the connection', () => (proxy.connections() === 1 ? true : undefined));
    proxy.hold(1);
    held.socket.write('b');
    const other = open();
    other.socket.write('c');
    await untilReceived(other, 'C');
    assert.equal(held.received(), '');
    proxy.pass();
    await untilReceived(held, 'AB');
  });

  it('resets a connection when nobody listens behind it', async () => {
    await new Promise((resolve) => echo.close(resolve));
    assert.match(await open().failed, /ECONNRESET/);
  });
});
