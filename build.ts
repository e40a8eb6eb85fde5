// Bundles the programs into dist/: `npm run build [-- --outdir DIR]`.
import { chmod, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { build, type BuildOptions, type Metafile } from 'esbuild';

const ROOT = import.meta.dirname;

/**
 * A program, and the module that starts it. A `server` becomes one file, `name.js`. A `command` becomes an executable file
 * `name` and, in `chunks/`, what it imports by `import()`: `version` then starts in 1.6 times the time of an empty Node,
 * where one file of everything takes 5 times, half for parsing and half for the modules of Node that are imported first.
 */
export interface Program {
  kind: 'server' | 'command';
  name: string;
  entry: string;
}

export const PROGRAMS = {
  webhook: { kind: 'server', entry: 'webhook/main.ts' },
  reconciler: { kind: 'server', entry: 'reconciler/main.ts' },
  'kubectl-fleetscan': { kind: 'command', entry: 'kubectl-plugin/main.ts' },
} as const satisfies Record<string, Omit<Program, 'name'>>;
export type ProgramName = keyof typeof PROGRAMS;

/** What was written: the files with their sizes in bytes, and the folders of the npm packages that are inside. */
export interface Bundle {
  files: { name: string; size: number }[];
  packages: string[];
}

/** Bundles one of the programs into `outdir`, as {@link bundle} does. */
export async function buildBundle(name: ProgramName, outdir: string): Promise<Bundle> {
  return bundle({ name, ...PROGRAMS[name] }, outdir);
}

/**
 * Bundles a program, with everything it imports, as ES modules in `outdir`. Not minified: that saved no time at start,
 * and a stack trace in a log names the functions of the source. Comments with licences are kept.
 *
 * @throws {BuildFailure} of esbuild, which has printed what is wrong and where
 */
export async function bundle(program: Program, outdir: string): Promise<Bundle> {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: [{ in: program.entry, out: program.name }],
    outdir,
    bundle: true,
    platform: 'node',
    target: 'node24.12',
    format: 'esm',
    legalComments: 'eof',
    logLevel: 'warning',
    ...shapeOf(program),
    metafile: true,
  });
  if (program.kind === 'command') await makeExecutable(path.join(outdir, program.name));
  return { files: filesOf(metafile, outdir, program.name), packages: packagesOf(metafile) };
}

// Packages in CommonJS ask for Node's own modules by `require`, which an ES module has not.
const REQUIRE =
  "import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);";

function shapeOf(program: Program): BuildOptions {
  if (program.kind === 'server') return { banner: { js: REQUIRE } };
  // .mjs says what the chunks are wherever they are copied to; Node itself finds that out for the file without an ending.
  return {
    banner: { js: REQUIRE },
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    outExtension: { '.js': '.mjs' },
  };
}

async function makeExecutable(file: string): Promise<void> {
  const code = await readFile(`${file}.mjs`, 'utf8');
  await writeFile(file, code.startsWith('#!') ? code : `#!/usr/bin/env node\n${code}`);
  await chmod(file, 0o755);
  await rm(`${file}.mjs`);
}

function filesOf(metafile: Metafile, outdir: string, name: string): Bundle['files'] {
  return Object.entries(metafile.outputs).map(([file, { bytes }]) => ({
    name: path.relative(outdir, path.join(ROOT, file)).replace(`${name}.mjs`, name),
    size: bytes,
  }));
}

function packagesOf(metafile: Metafile): string[] {
  const folders = Object.keys(metafile.inputs).map(
    (file) => /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(file)?.[0],
  );
  return [...new Set(folders.filter((folder) => folder !== undefined))].sort();
}

/**
 * The licences of the packages in these folders, as one text: most ask that theirs goes along with the code.
 *
 * @throws {Error} when a package names no licence and brings none
 */
export async function licencesOf(folders: readonly string[]): Promise<string> {
  const entries = await Promise.all([...new Set(folders)].sort().map(licenceOf));
  return `These packages are part of the programs in this folder.\n\n${entries.join('\n')}`;
}

async function licenceOf(folder: string): Promise<string> {
  const directory = path.join(ROOT, folder);
  const manifest: { name: string; version: string; license?: string } = JSON.parse(
    await readFile(path.join(directory, 'package.json'), 'utf8'),
  );
  const files = (await readdir(directory))
    .filter((file) => /^(licen[cs]e|copying|notice)/i.test(file))
    .sort();
  if (files.length === 0 && manifest.license === undefined) {
    throw new Error(`${manifest.name} is bundled but has no licence: ask its authors, or do without it`);
  }
  const texts = await Promise.all(files.map((file) => readFile(path.join(directory, file), 'utf8')));
  const heading = `${manifest.name} ${manifest.version} (${manifest.license ?? 'see below'})`;
  return [heading, '-'.repeat(heading.length), ...texts.map((text) => text.trim()), ''].join('\n');
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { outdir: { type: 'string', default: 'dist' } } });
  const outdir = path.resolve(values.outdir);
  await rm(path.join(outdir, 'chunks'), { recursive: true, force: true });
  const bundles = await Promise.all(
    (Object.keys(PROGRAMS) as ProgramName[]).map((name) => buildBundle(name, outdir)),
  );
  const licences = await licencesOf(bundles.flatMap(({ packages }) => packages));
  await writeFile(path.join(outdir, 'THIRD-PARTY-LICENSES.txt'), licences);
  for (const { files } of bundles) console.log(report(files));
}

/** One line: the file that starts and its size, then what is loaded when it is asked for. */
function report(files: Bundle['files']): string {
  const kilobytes = (some: Bundle['files']): string =>
    `${Math.ceil(some.reduce((sum, { size }) => sum + size, 0) / 1000)} kB`;
  const chunks = files.filter(({ name }) => name.startsWith('chunks/'));
  const starts = files.filter((file) => !chunks.includes(file));
  const line = `${starts.map(({ name }) => name).join(', ')}: ${kilobytes(starts)}`;
  return chunks.length === 0 ? line : `${line}, and ${kilobytes(chunks)} in chunks/`;
}

if (import.meta.main) await main();
