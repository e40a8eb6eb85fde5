import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Admission } from './admit.ts';
import type { Answer } from './answer.ts';

/** What the webhook tells Prometheus, in its own registry. */
export class Metrics {
  readonly registry = new Registry();
  readonly #requests: Counter<'result'>;
  readonly #images: Counter<'decision' | 'reason'>;
  readonly #imageScans: Counter<'result'>;
  readonly #duration: Histogram;
  readonly #certificateExpiry: Gauge;

  /** @param cache gives the state of the scans in memory whenever metrics are read */
  constructor(cache: () => { readonly scans: number; readonly lastContact: number }) {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    this.#requests = new Counter({
      name: 'fleetscan_admission_requests_total',
      help: 'Admission requests of pods, by what was answered; and all that could not be answered.',
      labelNames: ['result'],
      registers,
    });
    this.#images = new Counter({
      name: 'fleetscan_admission_images_total',
      help: 'Marked images seen at admission, by what became of them; kept ones with the reason.',
      labelNames: ['decision', 'reason'],
      registers,
    });
    this.#imageScans = new Counter({
      name: 'fleetscan_takeover_requests_total',
      help: "Admission requests of Fleet's ImageScans, by what was answered; patched ones got our shard label.",
      labelNames: ['result'],
      registers,
    });
    this.#duration = new Histogram({
      name: 'fleetscan_admission_duration_seconds',
      help: 'Time to answer an admission request, from its last byte.',
      buckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1],
      registers,
    });
    this.#certificateExpiry = new Gauge({
      name: 'fleetscan_webhook_certificate_expiry_timestamp_seconds',
      help: 'When the serving certificate in use expires.',
      registers,
    });
    new Gauge({
      name: 'fleetscan_webhook_scans',
      help: 'ImageScans in memory.',
      registers,
      collect() {
        this.set(cache().scans);
      },
    });
    new Gauge({
      name: 'fleetscan_webhook_last_contact_timestamp_seconds',
      help: 'When the API server last confirmed that the ImageScans in memory are current.',
      registers,
      collect() {
        this.set(cache().lastContact / 1000);
      },
    });
  }

  /** Counts an answered review of a pod and each decision in it. */
  answered({ answer, decisions }: Admission, seconds: number): void {
    this.#requests.inc({ result: resultOf(answer) });
    this.#duration.observe(seconds);
    for (const decision of decisions) {
      this.#images.inc({ decision: decision.kind, reason: decision.kind === 'kept' ? decision.reason : '' });
    }
  }

  /** Counts an answered review of an ImageScan of Fleet's. */
  answeredImageScan(answer: Answer): void {
    this.#imageScans.inc({ result: resultOf(answer) });
  }

  /** Counts a request that got no review: not ready yet, not readable, or a mistake of ours. */
  refused(result: 'not_ready' | 'invalid' | 'failed'): void {
    this.#requests.inc({ result });
  }

  servesCertificateUntil(expiry: Date): void {
    this.#certificateExpiry.set(expiry.getTime() / 1000);
  }
}

function resultOf({ response: { allowed, patch } }: Answer): 'denied' | 'unchanged' | 'patched' {
  if (!allowed) return 'denied';
  return patch === undefined ? 'unchanged' : 'patched';
}
