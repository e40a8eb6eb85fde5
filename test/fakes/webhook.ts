import { once } from 'node:events';
import { createServer } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { createAuthority } from '../control-plane/certificates.ts';

/** A mutating webhook of somebody else, on 127.0.0.1. */
export interface FakeWebhook {
  /** What a webhook configuration needs to call it. */
  readonly clientConfig: { readonly url: string; readonly caBundle: string };
  /** How many reviews have come in, answered or not. */
  asked(): number;
  /** From now on, reviews wait for their answer. */
  hold(): void;
  /** Gives all that wait their answer, and later ones theirs at once. */
  pass(): void;
  stop(): Promise<void>;
}

const review = z.object({ request: z.object({ uid: z.string() }) });

/**
 * Starts one that allows every object.
 *
 * @param patch the JSON Patch (RFC 6902) that it gives each
 */
export async function startWebhook(patch: readonly object[]): Promise<FakeWebhook> {
  const authority = await createAuthority('fake-webhook-ca');
  const { certificate, key } = await authority.issueServer(['localhost'], ['127.0.0.1']);
  let asked = 0;
  let gate = Promise.withResolvers<void>();
  gate.resolve();

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { uid } = review.parse(JSON.parse(await text(request))).request;
    asked += 1;
    await gate.promise;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(allow(uid, patch)));
  };
  const server = createServer(
    { cert: certificate, key, ALPNProtocols: ['http/1.1'] },
    (request, response) => {
      answer(request, response).catch((error: unknown) => response.writeHead(400).end(String(error)));
    },
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    clientConfig: {
      url: `https://127.0.0.1:${port}/`,
      caBundle: Buffer.from(authority.certificate).toString('base64'),
    },
    asked: () => asked,
    hold: () => {
      gate = Promise.withResolvers<void>();
    },
    pass: () => gate.resolve(),
    stop: async () => {
      gate.resolve();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function allow(uid: string, patch: readonly object[]): object {
  const encoded = Buffer.from(JSON.stringify(patch)).toString('base64');
  const response = { uid, allowed: true, patchType: 'JSONPatch', patch: encoded };
  return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response };
}
