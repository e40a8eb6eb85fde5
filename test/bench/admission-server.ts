// Started by admission.ts as a process of its own: `admission-server.ts ours|bare`. Writes its port and CA as a line of JSON.
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { issueAuthority, issueServing } from '../../certs/authority.ts';
import { ScanIndex } from '../../core/scan.ts';
import { admit } from '../../webhook/admit.ts';
import { createApp } from '../../webhook/app.ts';
import { Metrics } from '../../webhook/metrics.ts';
import { AdmissionServer } from '../../webhook/server.ts';
import { podRequestOf } from '../webhook/reviews.ts';
import { review, scanNumber, SCANS } from './admission-review.ts';

const now = new Date();
const authority = await issueAuthority({ now, validMs: 3_600_000 });
const names = { dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] };
const pair = await issueServing({ authority, ...names, now, validMs: 3_600_000 });
const keys = { cert: pair.certificate, key: pair.key };
const port = process.argv[2] === 'ours' ? await ours() : await bare();
console.log(JSON.stringify({ port, ca: authority.certificate }));
process.stdin.on('end', () => process.exit(0)).resume();

/** The webhook as it is, with all scans in memory. */
async function ours(): Promise<number> {
  const scans = allScans();
  const metrics = new Metrics(() => ({ scans: scans.size, lastContact: Date.now() }));
  const app = createApp({ scans, metrics, log: pino({ level: 'silent' }), isReady: () => true });
  return new AdmissionServer(app, keys).listen('127.0.0.1', 0);
}

/**
 * The least that answers an AdmissionReview with a patch: reads it, parses it, and lets the pod in with operations that are
 * always the same, as long as ours, so that what is compared is the deciding.
 */
async function bare(): Promise<number> {
  const {
    patch = '',
    patchType,
    auditAnnotations,
  } = admit(podRequestOf(review()), allScans(), now).answer.response;
  const operations: unknown = JSON.parse(Buffer.from(patch, 'base64').toString());
  const server = createServer({ ...keys, keepAliveTimeout: 120_000 }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { uid } = (JSON.parse(Buffer.concat(chunks).toString()) as { request: { uid: string } }).request;
      const encoded = Buffer.from(JSON.stringify(operations)).toString('base64');
      const answer = { uid, allowed: true, patchType, patch: encoded, auditAnnotations };
      const body = JSON.stringify({
        apiVersion: 'admission.k8s.io/v1',
        kind: 'AdmissionReview',
        response: answer,
      });
      const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
      response.writeHead(200, headers).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

function allScans(): ScanIndex {
  const scans = new ScanIndex();
  for (let number = 0; number < SCANS; number++) scans.put(scanNumber(number));
  return scans;
}
