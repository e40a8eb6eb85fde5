import type { RequestListener, ServerResponse } from 'node:http';
import express, { type Express } from 'express';
import type { Logger } from 'pino';
import type { ScanIndex } from '../core/scan.ts';
import { admit } from './admit.ts';
import { admitImageScan } from './admit-image-scan.ts';
import type { Answer } from './answer.ts';
import { readBody } from './body.ts';
import type { Metrics } from './metrics.ts';
import { parseReview, ReviewError } from './review.ts';

/** What the request handlers need. */
export interface AppOptions {
  readonly scans: ScanIndex;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Are the scans complete? Until then a review gets 503, which the API server asks again after a second. */
  readonly isReady: () => boolean;
}

const PATH = '/mutate';
// An object has at most 3 MB and a review holds two; controller-runtime draws the same line.
const MAX_BODY_MIB = 7;

/**
 * The admission endpoint: `POST /mutate` takes an AdmissionReview of a pod, or of an ImageScan of
 * Fleet's, and answers it from memory.
 *
 * Reviews go around express, which serves the rest: what it does for each request (a new prototype for request and
 * response, its body parser) costs as much as the whole decision. See the admission row of `npm run bench`.
 */
export function createApp(options: AppOptions): RequestListener {
  const rest = restOf(options);
  return (request, response) => {
    const isReview =
      request.method === 'POST' && (request.url === PATH || request.url?.startsWith(`${PATH}?`));
    if (isReview) readBody(request, MAX_BODY_MIB * 1024 * 1024, (body) => answer(body, response, options));
    else rest(request, response);
  };
}

function restOf({ isReady }: AppOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.get('/readyz', (_request, response) => {
    response
      .status(isReady() ? 200 : 503)
      .type('text/plain')
      .send(isReady() ? 'ok\n' : 'the scans are still being read\n');
  });
  app.all(PATH, (_request, response) => {
    response.set('Allow', 'POST').status(405).type('text/plain').send('an AdmissionReview is sent by POST\n');
  });
  return app;
}

/** @param body undefined when it is too large */
function answer(
  body: string | undefined,
  response: ServerResponse,
  { scans, metrics, log, isReady }: AppOptions,
): void {
  if (!isReady()) {
    metrics.refused('not_ready');
    response.setHeader('Retry-After', '1');
    return complain(response, 503, 'the scans are still being read; ask again');
  }
  if (body === undefined) {
    metrics.refused('invalid');
    return complain(response, 413, `the review is larger than ${MAX_BODY_MIB} MiB`);
  }
  const start = performance.now();
  try {
    const request = parseReview(body);
    if (request.kind === 'ImageScan') {
      const labelled = admitImageScan(request);
      reply(response, labelled);
      return metrics.answeredImageScan(labelled);
    }
    const admission = admit(request, scans, new Date());
    reply(response, admission.answer);
    metrics.answered(admission, (performance.now() - start) / 1000);
  } catch (error) {
    if (error instanceof ReviewError) {
      metrics.refused('invalid');
      return complain(response, 400, error.message);
    }
    metrics.refused('failed');
    log.error({ err: error }, 'an admission request failed');
    complain(response, 500, 'the webhook failed; its log says why');
  }
}

function reply(response: ServerResponse, answer: Answer): void {
  send(response, 200, 'application/json', JSON.stringify(answer));
}

function complain(response: ServerResponse, status: number, message: string): void {
  send(response, status, 'text/plain; charset=utf-8', `${message}\n`);
}

// A text and not bytes, so that headers and body go out as one TLS record.
function send(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}
