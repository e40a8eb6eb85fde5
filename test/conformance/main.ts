import { readFileSync } from 'node:fs';
import { messageOf } from '../../core/errors.ts';
import type { Outcome } from './outcome.ts';
import { runPolicy } from './policy.ts';
import { runReferences } from './references.ts';
import { runWriteback } from './writeback.ts';

const USAGE = 'usage: npm run --silent conformance -- policy|references|writeback|writeback-compatible FILE';
const RUNNERS: ReadonlyMap<string | undefined, (content: string) => Outcome[]> = new Map([
  ['policy', runPolicy],
  ['references', runReferences],
  ['writeback', runWriteback],
  ['writeback-compatible', (content) => runWriteback(content, 'Fleet')],
]);

process.exitCode = main(process.argv.slice(2));

/** Runs the cases of one file and prints what failed. Exit codes: 0 all passed, 1 some failed, 2 there was nothing to run. */
function main([kind, file, ...more]: string[]): 0 | 1 | 2 {
  const runCases = RUNNERS.get(kind);
  if (runCases === undefined || file === undefined || more.length > 0) {
    console.error(USAGE);
    return 2;
  }
  try {
    return report(runCases(readFileSync(file, 'utf8')));
  } catch (error) {
    console.error(`${file}: ${messageOf(error)}`);
    return 2;
  }
}

function report(outcomes: readonly Outcome[]): 0 | 1 {
  if (outcomes.length === 0) throw new Error('holds no cases');
  const failed = outcomes.filter(({ failure }) => failure !== undefined);
  for (const { name, failure } of failed) console.log(`FAILED ${name}: ${failure}`);
  console.log(`${outcomes.length - failed.length} passed, ${failed.length} failed`);
  return failed.length === 0 ? 0 : 1;
}
