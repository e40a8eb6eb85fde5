import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { binaries } from '../control-plane/binaries.ts';
import { mustRun, run, type RunResult } from '../control-plane/run.ts';

export const ROOT = path.dirname(path.dirname(import.meta.dirname));
export const CHART = path.join(ROOT, 'manifests', 'chart');
/** The values files that every check of the chart goes through. */
export const CI_VALUES = readdirSync(path.join(CHART, 'ci'));

/** An object that the chart renders, with the parts that tests look at. */
export interface Rendered {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

/** One release of the chart as a person would ask for it. */
export interface Release {
  /** A file of `ci/`. */
  readonly values?: string;
  /** Further values, as `--set-json` takes them. */
  readonly set?: Readonly<Record<string, unknown>>;
}

/** Reads a file of the repository as YAML, which JSON is too. */
export function readYaml(file: string): unknown {
  return parse(readFileSync(path.join(ROOT, file), 'utf8'));
}

/** Release `fleetscan` in namespace `fleetscan-system`, rendered without a cluster. */
export async function render(release: Release = {}): Promise<Rendered[]> {
  const { stdout } = await mustRun(...(await template(release)));
  const documents = parseAllDocuments(stdout, { strict: true });
  if ('empty' in documents) return [];
  const mistake = documents.flatMap(({ errors }) => errors)[0];
  if (mistake !== undefined) throw mistake;
  // What a condition left out is an empty document.
  return documents.map((document) => document.toJS() as Rendered | null).filter((object) => object !== null);
}

/** What helm says to a release that may be wrong. */
export async function tryRender(release: Release): Promise<RunResult> {
  return run(...(await template(release)));
}

async function template(release: Release): Promise<[string, string[]]> {
  const { helm } = await binaries(['helm']);
  const args = ['template', 'fleetscan', CHART, '--namespace=fleetscan-system', '--kube-version=1.36.0'];
  return [helm, [...args, ...valueArguments(release)]];
}

/** The arguments by which helm takes the values of a release. */
export function valueArguments({ values, set = {} }: Release): string[] {
  const files = values === undefined ? [] : [`--values=${path.join(CHART, 'ci', values)}`];
  return [
    ...files,
    ...Object.entries(set).map(([key, value]) => `--set-json=${key}=${JSON.stringify(value)}`),
  ];
}

/** The one object of that kind, and of that name where the chart has several. */
export function only(objects: readonly Rendered[], kind: string, name = 'fleetscan'): Rendered {
  const found = objects.filter((object) => object.kind === kind && object.metadata.name === name);
  if (found.length !== 1) throw new Error(`${found.length} objects ${kind} ${name}, wanted one`);
  return found[0]!;
}

/** The kinds and names of objects, sorted. */
export function namesOf(objects: readonly Rendered[]): string[] {
  return objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort();
}
