// Contends for a Lease and says so on stdout when it leads: `node contender.ts KUBECONFIG IDENTITY`.
import { once } from 'node:events';
import { connect } from '../../kube/client.ts';
import { lead } from '../../kube/lease.ts';

const [, , kubeconfig = '', identity = ''] = process.argv;
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());

const client = await connect({ kubeconfig });
const timing = { durationMs: 3000, renewMs: 500, retryMs: 200 };
await lead(
  client,
  { namespace: 'default', name: 'contended', identity, ...timing, signal: stop.signal },
  async (signal) => {
    console.log(`${identity} leads`);
    if (!signal.aborted) await once(signal, 'abort');
    console.log(`${identity} stops`);
  },
);
await client.close();
