import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { isScalar, parseAllDocuments, visit } from 'yaml';
import { OWN_GROUP } from '../../core/group.ts';
import { type Scan, ScanIndex } from '../../core/scan.ts';
import { Checkout } from '../../write-back/checkout.ts';
import { KnownBlobs } from '../../write-back/known-blobs.ts';
import { type EditPlan, planEdits } from '../../write-back/plan.ts';
import { cpuMs, median } from './measure.ts';
import type { Row } from './row.ts';

const FILES = 10_000;
const MARKED = 1000;
const ROUNDS = 7;
const NAME = 'registry.example/app';

/**
 * What it costs to find 1,000 markers in 10,000 files on disk and to write their values, in CPU time, against merely
 * reading the files, and against parsing and writing anew those that are marked.
 */
export async function writeBackEngine(): Promise<Row[]> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'fleetscan-bench-'));
  try {
    return await measure(folder, await prepare(folder));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(folder: string, files: readonly string[]): Promise<Row[]> {
  const marked = files.filter((_, i) => i % (FILES / MARKED) === 0);
  const times: Record<'reading' | 'engine' | 'again' | 'anew', number[]> = {
    reading: [],
    engine: [],
    again: [],
    anew: [],
  };
  let last: EditPlan | undefined;
  for (let round = 0; round < ROUNDS; round++) {
    times.reading.push(await cpuMs(() => readAll(folder)));
    times.engine.push(await cpuMs(async () => (last = await plan(folder, '1.1.0'))));
    const known = new KnownBlobs();
    const listing = await listed(folder);
    await planEdits(listing, '', [], lookup('1.0.0'), known);
    times.again.push(await cpuMs(() => planEdits(listing, '', [], lookup('1.0.0'), known)));
    times.anew.push(await cpuMs(() => writeAnew(marked)));
  }
  if (last?.edits.length !== MARKED) throw new Error(`${last?.edits.length} edits in place of ${MARKED}`);
  const [reading, engine, again, anew] = [times.reading, times.engine, times.again, times.anew].map(median);
  return [
    row(
      'write-back engine, 1,000 markers in 10,000 files',
      engine! / reading!,
      1.5,
      'the CPU of reading the files',
      {
        'ours with reading, CPU ms': engine!,
        'reading alone, CPU ms': reading!,
        'parsing and writing anew the 1,000, CPU ms': anew!,
        'bytes changed outside the scalars': await bytesOutside(folder, last),
        'lines changed by writing anew, of 1 that should be': await linesAnew(marked[0]!),
      },
    ),
    row('the same tree again', again! / engine!, 0.05, 'the first run', { 'ours, CPU ms': again! }),
  ];
}

/** A checkout whose listing is at hand, as that of a commit is: what a path names does not change. */
async function listed(folder: string) {
  const checkout = await Checkout.open(folder);
  const listing = await checkout.list('', []);
  return { list: () => Promise.resolve(listing), read: (oids: readonly string[]) => checkout.read(oids) };
}

function row(name: string, ratio: number, target: number, rival: string, details: Row['details']): Row {
  return { name, ratio, target: `≤ ${target} × ${rival}`, met: ratio <= target, details };
}

async function prepare(folder: string): Promise<string[]> {
  const files = Array.from({ length: FILES }, (_, i) =>
    path.join(folder, `team-${i % 100}`, `app-${i}.yaml`),
  );
  for (let team = 0; team < 100; team++) await mkdir(path.join(folder, `team-${team}`));
  for (const [i, file] of files.entries()) await writeFile(file, manifest(i));
  return files;
}

/** Reads the folder as `kubectl fleetscan update` does, and does nothing with it. */
async function readAll(folder: string): Promise<void> {
  const checkout = await Checkout.open(folder);
  const { files } = await checkout.list('', []);
  for await (const blob of checkout.read(files.map(({ oid }) => oid))) void blob;
}

async function plan(folder: string, tag: string, known?: KnownBlobs): Promise<EditPlan> {
  return planEdits(await Checkout.open(folder), '', [], lookup(tag), known);
}

/** What a program does that has no byte-exact edits: the whole file through the `yaml` package. */
async function writeAnew(files: readonly string[]): Promise<void> {
  for (const file of files) reserialised(await readFile(file, 'utf8'));
}

function reserialised(text: string): string {
  const documents = [...parseAllDocuments(text)];
  for (const document of documents) {
    visit(document, {
      Scalar: (_key, node) => {
        if (isScalar(node) && String(node.value).startsWith(`${NAME}:`)) node.value = `${NAME}:1.1.0`;
      },
    });
  }
  return documents.map(String).join('');
}

async function linesAnew(file: string): Promise<number> {
  const before = await readFile(file, 'utf8');
  const after = new Set(reserialised(before).split('\n'));
  return before.split('\n').filter((line) => !after.has(line)).length;
}

/** Counts what is not as it was in the changed files, once the new values are taken back. */
async function bytesOutside(folder: string, { changes }: EditPlan): Promise<number> {
  let bytes = 0;
  for (const { path: file, content } of changes) {
    const before = await readFile(path.join(folder, file), 'utf8');
    const taken = content.toString().replace(`${NAME}:1.1.0`, `${NAME}:1.0.0`);
    if (taken !== before) bytes += Math.max(1, Math.abs(taken.length - before.length));
  }
  return bytes;
}

function lookup(tag: string) {
  const inForce = { name: NAME, canonicalName: NAME, tag, digest: `sha256:${'a'.repeat(64)}` };
  const scan: Scan = {
    group: OWN_GROUP,
    namespace: 'team',
    name: 'app',
    tagName: 'app',
    generation: 1,
    exportTo: [],
    history: [],
    inForce,
  };
  const index = new ScanIndex();
  index.put(scan);
  return (marker: Parameters<ScanIndex['find']>[0]) => index.find(marker, { namespace: 'team' });
}

/** A Deployment and its Service, as people write them. */
function manifest(i: number): string {
  const marker = i % (FILES / MARKED) === 0 ? ' # {"$imagescan": "app"}' : '';
  return `# The application ${i} of the shop.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: app-${i}
  namespace: team-${i % 100}
  labels:
    app.kubernetes.io/name: app-${i}
    app.kubernetes.io/part-of: shop
spec:
  replicas: 3

  selector:
    matchLabels:
      app.kubernetes.io/name: app-${i}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: app-${i}
    spec:
      serviceAccountName: app
      securityContext: {runAsNonRoot: true}
      containers:
      - name: app
        image: ${NAME}:1.0.0${marker}
        args: ["--listen=:8080", "--log=info"]
        ports:
        - name: http
          containerPort: 8080
        env:
        - name: POD_NAME
          valueFrom:
            fieldRef:
              fieldPath: metadata.name
        - name: GREETING
          value: "hello, world"
        resources:
          requests:
            cpu: 100m
            memory: 128Mi
          limits:
            memory: 256Mi
        readinessProbe:
          httpGet:
            path: /ready
            port: http
---
apiVersion: v1
kind: Service
metadata:
  name: app-${i}
  namespace: team-${i % 100}
spec:
  type: ClusterIP
  selector:
    app.kubernetes.io/name: app-${i}
  ports:
  - name: http
    port: 80
    targetPort: http
`;
}
