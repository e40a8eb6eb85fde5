import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { review } from './admission-review.ts';
import { applyLoad, type LoadResult } from './load.ts';
import { median, quantile } from './measure.ts';
import { podCreation } from './pod-creation.ts';
import type { Row } from './row.ts';

const SERVER = fileURLToPath(new URL('admission-server.ts', import.meta.url));
const CONNECTIONS = 8;
const ROUNDS = 7;
const ROUND_MS = 3000;
// Until the engine has compiled all there is to compile.
const WARM_UP_MS = 8000;

/**
 * Answers to admission reviews per second, over HTTPS with kept-alive connections and 10,000 scans in memory, against a
 * bare `node:https` handler that parses and answers with a patch of the same length. The two take turns, so that a busy
 * moment hits both.
 */
export async function admission(): Promise<Row[]> {
  const [ours, bare] = await Promise.all([startServer('ours'), startServer('bare')]);
  try {
    const body = review();
    const measure = (server: Server, durationMs: number): Promise<LoadResult> =>
      applyLoad({ ...server, path: '/mutate', body, connections: CONNECTIONS, durationMs });
    for (const server of [ours, bare]) await measure(server, WARM_UP_MS);
    const rounds: { ours: LoadResult; bare: LoadResult }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      rounds.push({ ours: await measure(ours, ROUND_MS), bare: await measure(bare, ROUND_MS) });
    }
    const row = summary(rounds, Buffer.byteLength(body));
    return [{ ...row, details: { ...row.details, ...(await podCreation()) } }];
  } finally {
    for (const { process } of [ours, bare]) process.stdin?.end();
  }
}

function summary(rounds: readonly { ours: LoadResult; bare: LoadResult }[], bodyBytes: number): Row {
  const ratio = median(rounds.map(({ ours, bare }) => ours.requestsPerSecond / bare.requestsPerSecond));
  const p99 = (result: LoadResult): number => quantile(result.latencies, 0.99);
  const p99Ratio = median(rounds.map(({ ours, bare }) => p99(ours) / p99(bare)));
  return {
    name: 'admission',
    ratio,
    target: '≥ 0.8 × the throughput of a bare handler, p99 ≤ 2 × its p99',
    met: ratio >= 0.8 && p99Ratio <= 2,
    details: {
      'p99 ratio': p99Ratio,
      'ours, requests/s': median(rounds.map(({ ours }) => ours.requestsPerSecond)),
      'bare, requests/s': median(rounds.map(({ bare }) => bare.requestsPerSecond)),
      'ours, p99 ms': median(rounds.map(({ ours }) => p99(ours))),
      'bare, p99 ms': median(rounds.map(({ bare }) => p99(bare))),
      'review, bytes': bodyBytes,
    },
  };
}

interface Server {
  readonly process: ChildProcess;
  readonly port: number;
  readonly ca: string;
}

async function startServer(kind: 'ours' | 'bare'): Promise<Server> {
  const child = spawn(process.execPath, [SERVER, kind], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const { port, ca }: { port: number; ca: string } = JSON.parse(line);
  return { process: child, port, ca };
}
