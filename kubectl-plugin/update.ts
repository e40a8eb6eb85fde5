import { isUtf8 } from 'node:buffer';
import { editMarkers } from '../core/yaml/edit.ts';
import type { Find } from '../write-back/fleet-values.ts';
import { withLookUp } from './look-up.ts';
import type { Change } from '../git/repository.ts';
import { Checkout } from '../write-back/checkout.ts';
import { type EditPlan, type FileEdit, type LeftAlone, planEdits } from '../write-back/plan.ts';
import { ReplaceError } from '../write-back/replace-file.ts';
import { UsageError } from './failure.ts';
import { checkStandardInput, failOn, type Problem } from './scan-files.ts';
import { type ScansFlags, scansFor } from './scan-values.ts';
import { type FileChange, unifiedDiff } from './unified-diff.ts';
import { noteRest, printJson, printMarkdown, printSummary, type UpdateReport } from './update-report.ts';

/** The flags of `update`. */
export interface UpdateFlags extends ScansFlags {
  readonly path?: readonly string[];
  readonly dryRun?: boolean;
  readonly output?: 'diff' | 'json' | 'markdown';
  /** Shows the markers that are right already, too. */
  readonly all?: boolean;
  /** Counts markers that are left alone as errors. */
  readonly strict?: boolean;
}

/** The exit code for CI when something was changed, or would be. */
const CHANGED = 2;

const LEFT_ALONE: Problem = { message: 'not all markers are up to date: with --strict that is an error' };

/**
 * Brings the marked scalars in the files of a folder up to date, as write-back does in Git. Exit code 0 when there was
 * nothing to do, 2 when something was changed or would be, 1 when something went wrong; the rest is done all the same.
 *
 * @throws {UsageError | CheckoutError | PathError}
 * @throws an AggregateError of {@link PartError} for each part that went wrong
 */
export async function update(folder: string, flags: UpdateFlags): Promise<void> {
  checkStandardInput([folder, ...(flags.scans ?? [])]);
  if (folder === '-') {
    refuseFlagsOfFolders(flags);
    const { updateList } = await import('./resource-list.ts');
    return updateList(flags);
  }
  if (flags.scans === undefined) throw new UsageError('Usage', 'say which scans: --scans FILE');
  const [checkout, scans] = [await Checkout.open(folder), await scansFor(flags)];
  const { result, problems } = await withLookUp(scans, flags, async (find) => {
    const plan = await planEdits(checkout, '', flags.path ?? [], find);
    return { plan, upToDate: flags.output === 'json' || flags.all ? upToDate(checkout, find) : [] };
  });
  const { plan } = result;
  const changes = plan.changes.map((change) => fileChange(checkout, change));
  const failures = flags.dryRun ? [] : await write(checkout, changes);
  const report = { ...reportOf(plan, checkout, failures, problems, flags), upToDate: result.upToDate };
  show(report, changes, flags);
  if (report.edits.length > 0) process.exitCode = CHANGED;
  failOn([...report.errors, ...(flags.strict && report.leftAlone.length > 0 ? [LEFT_ALONE] : [])]);
}

/** A ResourceList is answered with one, whole: the caller decides what becomes of it. */
function refuseFlagsOfFolders({ path, dryRun, output, all }: UpdateFlags): void {
  const given = Object.entries({ path, 'dry-run': dryRun, output, all }).find(([, value]) => value);
  if (given !== undefined) throw new UsageError('Usage', `--${given[0]} is for folders, not for update -`);
}

function fileChange(checkout: Checkout, { path, content }: Change): FileChange {
  return { path, before: checkout.original(path) ?? Buffer.alloc(0), after: content };
}

/** Writes file by file: one that cannot be written does not stop the others. */
async function write(checkout: Checkout, changes: readonly FileChange[]): Promise<LeftAlone[]> {
  const failures: LeftAlone[] = [];
  for (const { path, after } of changes) {
    try {
      await checkout.write(path, after);
    } catch (error) {
      if (!(error instanceof ReplaceError)) throw error;
      failures.push({ file: path, reason: error.code, message: error.message });
    }
  }
  return failures;
}

function reportOf(
  plan: EditPlan,
  checkout: Checkout,
  failures: readonly LeftAlone[],
  problems: readonly Problem[],
  { dryRun = false }: UpdateFlags,
): Omit<UpdateReport, 'upToDate'> {
  const failed = new Map(failures.map((failure) => [failure.file, failure]));
  const notWritten = plan.edits.flatMap(({ file, line }): LeftAlone[] => {
    const failure = failed.get(file);
    return failure === undefined ? [] : [{ ...failure, line }];
  });
  const unreadable = checkout.unreadable.map(
    ({ path, message }): Problem => ({ place: path || '.', message }),
  );
  return {
    dryRun,
    edits: plan.edits.filter(({ file }) => !failed.has(file)),
    current: plan.current,
    leftAlone: [...plan.leftAlone, ...notWritten].sort(byPlace),
    errors: [
      ...problems,
      ...unreadable,
      ...failures.map(({ file, message }) => ({ place: file, message: `not written: ${message}` })),
    ],
  };
}

/** The plan counts these only, since write-back would keep them for every GitRepo. */
function upToDate(checkout: Checkout, find: Find): FileEdit[] {
  return [...checkout.marked()].flatMap(([file, content]) => {
    if (!isUtf8(content)) return [];
    const found = editMarkers(content.toString(), find).upToDate;
    return found.map((edit) => ({ file, ...edit }));
  });
}

function byPlace(a: LeftAlone, b: LeftAlone): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return (a.line ?? 0) - (b.line ?? 0);
}

function show(
  report: UpdateReport,
  changes: readonly FileChange[],
  { output, all = false }: UpdateFlags,
): void {
  switch (output) {
    case 'json':
      return printJson(report);
    case 'markdown':
      printMarkdown(report);
      return noteRest(report);
    case 'diff': {
      const edited = new Set(report.edits.map(({ file }) => file));
      process.stdout.write(unifiedDiff(changes.filter(({ path }) => edited.has(path))));
      return noteRest(report);
    }
    case undefined:
      return printSummary(report, all);
  }
}
