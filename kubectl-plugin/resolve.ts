import { oneLine } from '../core/one-line.ts';
import { UsageError } from './failure.ts';
import { yamlFilesOf } from './lint-files.ts';
import { withLookUp } from './look-up.ts';
import { note } from './output.ts';
import { isResourceList, resolveList } from './resource-list.ts';
import { type Resolved, resolveManifests } from './resolve-text.ts';
import { checkStandardInput, contentOf, failOn, type Problem } from './scan-files.ts';
import { type ScansFlags, scansFor } from './scan-values.ts';

/** The flags of `resolve`. */
export interface ResolveFlags extends ScansFlags {
  readonly filename?: readonly string[];
}

/**
 * Prints manifests as the webhook would make their pods; what stays as it was is told on standard error. Nothing is printed
 * when the webhook would reject a pod, so that none is applied that it would not let in. A `ResourceList` on standard
 * input is answered with one.
 *
 * @throws {UsageError}
 * @throws an AggregateError of PartError for each part that went wrong
 */
export async function resolve(flags: ResolveFlags): Promise<void> {
  const { filename = [], scans: scanFiles = [] } = flags;
  if (filename.length === 0) throw new UsageError('Usage', 'say which manifests: -f FILE');
  checkStandardInput([...filename, ...scanFiles]);
  const files = (await Promise.all(filename.map((file) => yamlFilesOf('--filename', file)))).flat();
  const manifests = await Promise.all(
    files.map(async (file) => ({ file, content: await contentOf('--filename', file) })),
  );
  const [only, ...others] = manifests;
  if (only !== undefined && others.length === 0 && isResourceList(only.content))
    return resolveList(only.content, flags);
  if (scanFiles.length === 0) throw new UsageError('Usage', 'say which scans: --scans FILE');
  const scans = await scansFor(flags);
  const now = new Date();
  const { result: resolved, problems } = await withLookUp(scans, flags, (find) =>
    manifests.map(({ file, content }) => ({ file, ...resolveManifests(content, find, scans, now) })),
  );
  const rejected = resolved.flatMap(tell);
  if (rejected.length === 0) process.stdout.write(joined(resolved.map((it) => it.text)));
  failOn([...problems, ...rejected]);
}

/** Tells the warnings. @returns what the webhook would reject */
function tell({ file, remarks }: Resolved & { readonly file: string }): Problem[] {
  const placed = remarks.map(({ line, ...remark }) => ({
    ...remark,
    place: line === undefined ? file : `${file}:${line}`,
  }));
  for (const { place, severity, message } of placed)
    if (severity === 'warning') note(oneLine(`Warning: ${place}: ${message}`, Infinity));
  return placed.filter(({ severity }) => severity === 'error');
}

/** One stream of documents: each file as it is, parted from the next. */
function joined(texts: readonly string[]): string {
  return texts.reduce((all, next) => {
    if (all === '') return next;
    const end = all.endsWith('\n') ? '' : '\n';
    return `${all}${end}${/^(?:\uFEFF)?---\s/.test(next) ? '' : '---\n'}${next}`;
  }, '');
}
