import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, createServer, request, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { issueAuthority, issueServing, type KeyedCertificate } from '../../certs/authority.ts';
import { servingNames } from '../../certs/names.ts';

const HOUR_MS = 3_600_000;
const names = servingNames({ service: 'hook', namespace: 'ns', url: 'https://127.0.0.1/mutate' });

interface Answer {
  body: string;
  /** Of the certificate that the connection was opened with. */
  serial: string | undefined;
  socket: TLSSocket;
}

describe('a TLS server with our certificates', () => {
  let old: KeyedCertificate;
  let young: KeyedCertificate;
  let oldLeaf: KeyedCertificate;
  let youngLeaf: KeyedCertificate;
  let server: Server;

  before(async () => {
    const now = new Date();
    const issue = (authority: KeyedCertificate) =>
      issueServing({ authority, ...names, now, validMs: HOUR_MS });
    [old, young] = await Promise.all(
      [1, 2].map(() => issueAuthority({ now, validMs: HOUR_MS })) as [
        Promise<KeyedCertificate>,
        Promise<KeyedCertificate>,
      ],
    );
    [oldLeaf, youngLeaf] = await Promise.all([issue(old), issue(young)]);
    server = createServer({ cert: oldLeaf.certificate, key: oldLeaf.key }, (_, response) =>
      response.end('ok'),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  async function call(agent: Agent, servername?: string): Promise<Answer> {
    const { port } = server.address() as AddressInfo;
    const call = request({ host: '127.0.0.1', port, agent, ...(servername && { servername }) });
    call.end();
    const [response] = await once(call, 'response');
    const socket = response.socket as TLSSocket;
    const serial = socket.getPeerX509Certificate()?.serialNumber;
    let body = '';
    for await (const chunk of response) body += String(chunk);
    return { body, serial, socket };
  }

  it('is trusted by whoever has the authority, under the name of the Service and by address', async () => {
    using agent = client(old.certificate);
    assert.equal((await call(agent.agent, 'hook.ns.svc')).body, 'ok');
    using byAddress = client(old.certificate);
    assert.equal((await call(byAddress.agent)).body, 'ok');
  });

  it('is refused under another name, and by whoever has another authority', async () => {
    using right = client(old.certificate);
    await assert.rejects(call(right.agent, 'other.ns.svc'), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
    using wrong = client(young.certificate);
    await assert.rejects(
      call(wrong.agent, 'hook.ns.svc'),
      /unable to (verify|get local issuer)|signature|self.signed/i,
    );
  });

  it('changes to a leaf of a new authority without dropping a connection', async () => {
    using agent = client(young.certificate + old.certificate);
    const before = await call(agent.agent, 'hook.ns.svc');
    server.setSecureContext({ cert: youngLeaf.certificate, key: youngLeaf.key });
    const same = await call(agent.agent, 'hook.ns.svc');
    assert.equal(same.socket, before.socket, 'the connection that was open goes on');
    assert.equal(same.body, 'ok');

    using another = client(young.certificate + old.certificate);
    const after = await call(another.agent, 'hook.ns.svc');
    assert.notEqual(after.serial, before.serial, 'a new connection gets the new certificate');
    assert.equal(after.body, 'ok');
  });
});

/** A client with one connection that it keeps. */
function client(ca: string): { agent: Agent } & Disposable {
  const agent = new Agent({ ca, keepAlive: true, maxSockets: 1 });
  return { agent, [Symbol.dispose]: () => agent.destroy() };
}
