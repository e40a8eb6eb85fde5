import express, { type ErrorRequestHandler, type Express } from 'express';
import type { Logger } from 'pino';
import type { ScanIndex } from '../core/scan.ts';
import { admit } from './admit.ts';
import type { Metrics } from './metrics.ts';
import { parseReview, ReviewError } from './review.ts';

// An object has at most 3 MB and a review holds two; controller-runtime draws the same line.
const MAX_BODY = '7mb';

/** What the request handlers need. */
export interface AppOptions {
  readonly scans: ScanIndex;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Are the scans complete? Until then a review gets 503, which the API server asks again after a second. */
  readonly isReady: () => boolean;
}

/** The admission endpoint: `POST /mutate` takes an AdmissionReview of a pod and answers it from memory. */
export function createApp({ scans, metrics, log, isReady }: AppOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.post(
    '/mutate',
    express.raw({ type: () => true, limit: MAX_BODY, inflate: false }),
    (request, response) => {
      if (!isReady()) {
        metrics.refused('not_ready');
        response
          .set('Retry-After', '1')
          .status(503)
          .type('text/plain')
          .send('the scans are still being read; ask again\n');
        return;
      }
      const start = performance.now();
      const body: unknown = request.body;
      const admission = admit(parseReview(Buffer.isBuffer(body) ? body.toString() : ''), scans, new Date());
      const answer = JSON.stringify(admission.answer);
      // Not express' send(), which would hash the answer; and a text, not bytes, so that headers and body go out as one record.
      response.writeHead(200, {
        'Content-Type': 'application/json',
        'Content-Length': Buffer.byteLength(answer),
      });
      response.end(answer);
      metrics.answered(admission, (performance.now() - start) / 1000);
    },
  );
  app.use(onError(metrics, log));
  return app;
}

function onError(metrics: Metrics, log: Logger): ErrorRequestHandler {
  return (error: unknown, _request, response, _next) => {
    const status = statusOf(error);
    metrics.refused(status < 500 ? 'invalid' : 'failed');
    if (status >= 500) log.error({ err: error }, 'an admission request failed');
    response
      .status(status)
      .type('text/plain')
      .send(`${complaint(status, error)}\n`);
  };
}

function complaint(status: number, error: unknown): string {
  if (error instanceof ReviewError) return error.message;
  if (status === 413) return `the review is larger than ${MAX_BODY}`;
  return status < 500 ? 'the request could not be read' : 'the webhook failed; its log says why';
}

function statusOf(error: unknown): number {
  if (error instanceof ReviewError) return 400;
  const status: unknown =
    typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined;
  return typeof status === 'number' ? status : 500;
}
