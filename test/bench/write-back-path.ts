import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { ScanIndex } from '../../core/scan.ts';
import { GitHubAppTokens } from '../../git/github-app-tokens.ts';
import { toScan } from '../../kube/kinds/to-scan.ts';
import type { WriteBackResult } from '../../reconciler/write-back/result.ts';
import { writeBack } from '../../reconciler/write-back/write-back.ts';
import { FleetValues } from '../../write-back/fleet-values.ts';
import { KnownBlobs } from '../../write-back/known-blobs.ts';
import { git } from '../control-plane/git-commands.ts';
import { type GitServer, startGitServer } from '../control-plane/git-server.ts';
import { DIGEST, gitRepo, imageScan } from '../reconciler/samples.ts';
import { median } from './measure.ts';
import type { Row } from './row.ts';

const FILES = 10_000;
const MARKED = 1000;
const CHANGED = [1, 10, 100, 1000];
const TOTALS = [1000, 10_000, 100_000];
const ROUNDS = 5;

/** What the design allows: as a multiple of a bare clone of the same repository, and in milliseconds on a machine with nothing else to do. */
const COLD = { ratio: 8, ms: (changed: number): number => (changed > 100 ? 5000 : 3000) };
const NEXT = { ratio: 4, ms: (changed: number): number => (changed > 100 ? 1500 : 500) };

/**
 * The whole of a write-back over smart HTTP: ls-remote, fetch, edit, commit, push. Cold, which begins without a local copy; and the
 * next run, on a new value. The rival is `git clone --bare --depth 1` of the same repository, which edits nothing.
 */
export async function writeBackPath(): Promise<Row[]> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'fleetscan-bench-'));
  const server = await startGitServer();
  try {
    const rows: Row[] = [];
    for (const changed of CHANGED) rows.push(...(await changedFiles(server, folder, changed)));
    rows.push(await totalFiles(server, folder), ...(await idle(server, folder)));
    return rows;
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function changedFiles(server: GitServer, folder: string, changed: number): Promise<Row[]> {
  const times = await timesOf(new Bench(server, folder, `changed-${changed}`), FILES, changed);
  const row = (run: 'cold' | 'next', { ratio, ms }: typeof COLD): Row => ({
    name: `write-back of ${count(changed)} changed of ${count(FILES)} files, ${run}`,
    ratio: times[run] / times.clone,
    target: `≤ ${ratio} × a bare clone of depth 1`,
    met: times[run] <= ratio * times.clone,
    details: {
      'ours, ms': times[run],
      'ours on an idle machine at most, ms': ms(changed),
      'git clone --bare --depth 1, ms': times.clone,
    },
  });
  return [row('cold', COLD), row('next', NEXT)];
}

/** How the cost of one changed file grows with the files that do not change. */
async function totalFiles(server: GitServer, folder: string): Promise<Row> {
  const all: { total: number; times: Times }[] = [];
  for (const total of TOTALS)
    all.push({ total, times: await timesOf(new Bench(server, folder, `total-${total}`), total, 1) });
  const largest = all.at(-1)?.times ?? { clone: 0, cold: 0, next: 0 };
  const details = all.flatMap(({ total, times }) => [
    [`cold, ${count(total)} files, ms`, times.cold],
    [`next, ${count(total)} files, ms`, times.next],
    [`clone, ${count(total)} files, ms`, times.clone],
  ]);
  return {
    name: `write-back of 1 changed of ${count(TOTALS.at(-1) ?? 0)} files, next`,
    ratio: largest.next / largest.clone,
    target: '≤ 1 × a bare clone of depth 1',
    met: largest.next <= largest.clone,
    details: Object.fromEntries(details),
  };
}

/** What goes over the wire when nobody changed anything, and after one commit of somebody else. */
async function idle(server: GitServer, folder: string): Promise<Row[]> {
  const bench = new Bench(server, folder, 'idle');
  await bench.create(FILES, 1);
  const beforeClone = server.sent();
  await bench.clone();
  const whole = server.sent() - beforeClone;
  await bench.run(1, bench.nextValue());
  const before = { sent: server.sent(), requests: server.requests().length };
  await bench.run('unchanged');
  const questions = server
    .requests()
    .slice(before.requests)
    .filter((request) => request.startsWith('GET '));
  const idleBytes = server.sent() - before.sent;
  await server.commit('idle', { [fileName(MARKED + 1)]: manifest(MARKED + 1, 'somebody: else\n') });
  const beforeFetch = server.sent();
  await bench.run(0);
  const bytes = server.sent() - beforeFetch;
  return [
    {
      name: 'questions to the server when nothing is new',
      ratio: questions.length,
      target: '1: one ls-remote',
      met: questions.length === 1,
      details: { 'answers, bytes': idleBytes },
    },
    {
      name: `bytes after one new commit in ${count(FILES)} files`,
      ratio: bytes / whole,
      target: '≤ 1/20 of a bare clone of depth 1',
      met: bytes <= whole / 20,
      details: { 'ours, bytes': bytes, 'git clone --bare --depth 1, bytes': whole },
    },
  ];
}

interface Times {
  readonly clone: number;
  readonly cold: number;
  readonly next: number;
}

/** Medians in milliseconds, taken in turns. */
async function timesOf(bench: Bench, files: number, changed: number): Promise<Times> {
  await bench.create(files, changed);
  const rounds = files > FILES ? 2 : ROUNDS;
  const times: Record<keyof Times, number[]> = { clone: [], cold: [], next: [] };
  for (let round = 0; round < rounds; round++) {
    times.clone.push(await timed(() => bench.clone()));
    await bench.forget();
    for (const run of ['cold', 'next'] as const) {
      const value = bench.nextValue();
      times[run].push(await timed(() => bench.run(changed, value)));
    }
  }
  return { clone: median(times.clone), cold: median(times.cold), next: median(times.next) };
}

/** One GitRepo whose first files are marked: some by a scan whose value moves, the others by one whose value stays. */
class Bench {
  readonly #server: GitServer;
  readonly #folder: string;
  readonly #name: string;
  readonly #index = new ScanIndex();
  #known = new KnownBlobs();
  #version = 0;
  #agreedAt = '';

  constructor(server: GitServer, folder: string, name: string) {
    this.#server = server;
    this.#folder = path.join(folder, name);
    this.#name = name;
  }

  async create(files: number, moving: number): Promise<void> {
    const names = Array.from({ length: files }, (_, i): [string, string] => {
      const marker = i < moving ? 'moving' : 'still';
      const comment = i < MARKED ? ` # {"$imagescan": "${marker}"}` : '';
      return [fileName(i), manifest(i, `image: registry.example/app:1.0.0${comment}\n`)];
    });
    await this.#server.createRepository(this.#name, Object.fromEntries(names));
    this.#index.put(scan('still', '1.0.0'));
  }

  /** A value comes into force; there is no agreement with Git any more. */
  nextValue(): () => void {
    this.#version += 1;
    return () => {
      this.#agreedAt = '';
      this.#index.put(scan('moving', `1.1.${this.#version}`));
    };
  }

  /** All that a run leaves for the next one. */
  async forget(): Promise<void> {
    this.#known = new KnownBlobs();
    await rm(path.join(this.#folder, 'cache'), { recursive: true, force: true });
  }

  async clone(): Promise<void> {
    const into = path.join(this.#folder, 'clone');
    await rm(into, { recursive: true, force: true });
    await git(['clone', '--quiet', '--bare', '--depth', '1', `${this.#server.url}/${this.#name}.git`, into]);
  }

  /** A write-back, which has to change so many files, or to find that there is nothing to look at. */
  async run(expected: number | 'unchanged', change?: () => void): Promise<void> {
    change?.();
    const result = await writeBack(
      gitRepo({
        metadata: { name: this.#name },
        spec: { repo: `${this.#server.url}/${this.#name}.git`, branch: 'main' },
      }),
      {
        client: { get: () => Promise.reject(new Error('there is no Secret')) },
        index: this.#index,
        cacheDirectory: path.join(this.#folder, 'cache'),
        environment: process.env,
        signal: new AbortController().signal,
        appTokens: new GitHubAppTokens(),
        compatibility: 'None',
        fleetValues: new FleetValues(async () => undefined),
        known: this.#known,
        ...(this.#agreedAt && { agreedAt: this.#agreedAt }),
      },
    );
    if (changesOf(result) !== expected) throw new Error(`the write-back did ${JSON.stringify(result)}`);
    if (result.kind !== 'failed') this.#agreedAt = result.at;
  }
}

function changesOf(result: WriteBackResult): number | string {
  return result.kind === 'synced' ? result.plan.changes.length : result.kind;
}

function scan(name: string, tag: string) {
  const canonicalImageName = 'registry.example/app';
  return toScan(
    imageScan({
      metadata: { name },
      spec: { image: canonicalImageName },
      status: { canonicalImageName, latestTag: tag, latestDigest: DIGEST },
    }),
  );
}

function fileName(i: number): string {
  return `team-${i % 100}/app-${Math.floor(i / 100) % 10}/deployment-${i}.yaml`;
}

/** A Deployment as people write them, about 1.5 kB. */
function manifest(i: number, image: string): string {
  const variables = Array.from(
    { length: 20 },
    (_, n) =>
      `            - name: SETTING_${n}\n              value: "${(i * 7919 + n * 104_729) % 1_000_003}"\n`,
  );
  return [
    'apiVersion: apps/v1\nkind: Deployment\n',
    `metadata:\n  name: app-${i}\n  namespace: team-${i % 100}\n`,
    'spec:\n  template:\n    spec:\n      containers:\n        - name: app\n',
    `          ${image}          env:\n`,
    ...variables,
  ].join('');
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function count(n: number): string {
  return n.toLocaleString('en');
}
