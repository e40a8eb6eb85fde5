import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { isScalar, parseAllDocuments, visit } from 'yaml';
import { OWN_GROUP } from '../../core/group.ts';
import { ScanIndex } from '../../core/scan.ts';
import { editMarkers } from '../../core/yaml/edit.ts';

const SAMPLE = new URL('sample.yaml', import.meta.url);
const NAME = 'ghcr.io/acme/web';
const TAG = '1.2.4';

/** A picture, as SVG: what write-back changes in a file, beside what the `yaml` package changes that reads and writes it anew. */
export function writeBackPicture(): string {
  const before = readFileSync(SAMPLE, 'utf8');
  const panels = [
    { title: 'Fleetscan', diff: diffLines(before, byteExact(before)) },
    {
      title: 'a program that parses the file and writes it anew',
      diff: diffLines(before, reserialised(before)),
    },
  ];
  return svg(panels);
}

function byteExact(text: string): string {
  const index = new ScanIndex();
  const inForce = { name: NAME, canonicalName: NAME, tag: TAG, digest: `sha256:${'0'.repeat(64)}` };
  const scan = {
    group: OWN_GROUP,
    namespace: 'apps',
    name: 'web',
    tagName: 'web',
    generation: 1,
    exportTo: [],
    history: [],
  };
  index.put({ ...scan, inForce });
  return editMarkers(text, (marker) => index.find(marker, { namespace: 'apps' })).text;
}

function reserialised(text: string): string {
  const documents = [...parseAllDocuments(text)];
  for (const document of documents) {
    visit(document, {
      Scalar: (_key, node) => {
        if (isScalar(node) && String(node.value).startsWith(`${NAME}:`)) node.value = `${NAME}:${TAG}`;
      },
    });
  }
  return documents.map(String).join('');
}

/** The lines of git's own diff, below its header. */
function diffLines(before: string, after: string): string[] {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'fleetscan-picture-'));
  const [a, b] = [path.join(folder, 'a'), path.join(folder, 'b')];
  try {
    writeFileSync(a, before);
    writeFileSync(b, after);
    execFileSync('git', ['diff', '--no-index', '--no-color', '--', a, b], { encoding: 'utf8' });
    return [];
  } catch (error) {
    const { stdout } = error as { stdout: string };
    return stdout.trimEnd().split('\n').slice(5);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Panel {
  readonly title: string;
  readonly diff: readonly string[];
}

const WIDTH = 620;
const LINE = 16;
const TOP = 52;
const COLOURS = {
  '+': ['#dafbe1', '#116329'],
  '-': ['#ffebe9', '#82071e'],
  ' ': ['none', '#424a53'],
} as const;

function svg(panels: readonly Panel[]): string {
  const height = TOP + LINE * Math.max(...panels.map(({ diff }) => diff.length)) + 16;
  const width = WIDTH * panels.length;
  const body = panels.map((panel, index) => panelSvg(panel, index * WIDTH)).join('\n');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="Two diffs of one change">
<rect width="100%" height="100%" fill="#ffffff"/>
${body}
</svg>
`;
}

function panelSvg({ title, diff }: Panel, left: number): string {
  const count = (sign: string): number => diff.filter((line) => line.startsWith(sign)).length;
  const heading = `${title}: +${count('+')} −${count('-')} lines`;
  const lines = diff.map((line, index) => lineSvg(line, left, TOP + index * LINE));
  return [
    `<text x="${left + 16}" y="30" font-family="sans-serif" font-size="15" font-weight="600" fill="#1f2328">${escape(heading)}</text>`,
    ...lines,
  ].join('\n');
}

function lineSvg(line: string, left: number, top: number): string {
  const sign = line.startsWith('+') || line.startsWith('-') ? (line[0] as '+' | '-') : ' ';
  const [background, colour] = COLOURS[sign];
  const longest = Math.floor((WIDTH - 40) / 7.3);
  const shown = line.length > longest ? `${line.slice(0, longest - 1)}…` : line;
  const box =
    background === 'none'
      ? ''
      : `<rect x="${left + 8}" y="${top}" width="${WIDTH - 16}" height="${LINE}" fill="${background}"/>`;
  const text = `<text x="${left + 16}" y="${top + 12}" font-family="monospace" font-size="12" fill="${colour}" xml:space="preserve">${escape(shown)}</text>`;
  return box + text;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
