import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { indexOf, scanOf } from '../core/samples.ts';
import { admit } from '../../webhook/admit.ts';
import { Metrics } from '../../webhook/metrics.ts';
import { marked, podOf, podRequestOf, reviewOf } from './reviews.ts';

/** The values of our own metrics, by name and labels. */
async function read(metrics: Metrics): Promise<Map<string, number>> {
  const lines = (await metrics.registry.metrics())
    .split('\n')
    .filter((line) => line.startsWith('fleetscan_'));
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(' ');
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}

describe('the metrics of the webhook', () => {
  it('count reviews by answer and images by decision', async () => {
    const metrics = new Metrics(() => ({ scans: 0, lastContact: 0 }));
    const pod = podOf(marked({ app: 'app', web: 'app' }));
    const admission = admit(podRequestOf(JSON.stringify(reviewOf(pod))), indexOf(scanOf()), new Date());
    metrics.answered(admission, 0.0002);
    metrics.answered(admission, 0.02);
    metrics.refused('not_ready');
    const values = await read(metrics);
    assert.equal(values.get('fleetscan_admission_requests_total{result="patched"}'), 2);
    assert.equal(values.get('fleetscan_admission_requests_total{result="not_ready"}'), 1);
    assert.equal(values.get('fleetscan_admission_images_total{decision="resolved",reason=""}'), 2);
    assert.equal(
      values.get('fleetscan_admission_images_total{decision="kept",reason="UnknownContainer"}'),
      2,
    );
    assert.equal(values.get('fleetscan_admission_duration_seconds_bucket{le="0.0001"}'), 0);
    assert.equal(values.get('fleetscan_admission_duration_seconds_bucket{le="0.00025"}'), 1);
    assert.equal(values.get('fleetscan_admission_duration_seconds_bucket{le="0.05"}'), 2);
    assert.equal(values.get('fleetscan_admission_duration_seconds_count'), 2);
  });

  it('show the scans in memory as they are when they are read, times in seconds', async () => {
    let state = { scans: 3, lastContact: 1_700_000_000_000 };
    const metrics = new Metrics(() => state);
    metrics.servesCertificateUntil(new Date('2026-03-01T00:00:00Z'));
    const before = await read(metrics);
    assert.equal(before.get('fleetscan_webhook_scans'), 3);
    assert.equal(before.get('fleetscan_webhook_last_contact_timestamp_seconds'), 1_700_000_000);
    assert.equal(
      before.get('fleetscan_webhook_certificate_expiry_timestamp_seconds'),
      Date.UTC(2026, 2) / 1000,
    );
    state = { scans: 4, lastContact: 1_700_000_001_500 };
    const after = await read(metrics);
    assert.equal(after.get('fleetscan_webhook_scans'), 4);
    assert.equal(after.get('fleetscan_webhook_last_contact_timestamp_seconds'), 1_700_000_001.5);
  });

  it('have a registry of their own, with those of the process', async () => {
    const [one, other] = [1, 2].map((scans) => new Metrics(() => ({ scans, lastContact: 0 })));
    assert.equal((await read(one!)).get('fleetscan_webhook_scans'), 1);
    assert.equal((await read(other!)).get('fleetscan_webhook_scans'), 2);
    assert.match(await one!.registry.metrics(), /^process_resident_memory_bytes \d+/m);
  });
});
