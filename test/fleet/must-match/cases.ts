import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Outcome } from '../../conformance/outcome.ts';
import { runPolicy } from '../../conformance/policy.ts';
import { runWriteback } from '../../conformance/writeback.ts';

// What was seen at Fleet v0.16 is in the files of test/conformance/cases; a test of the contract runs those that it speaks of.

const caseFile = z.object({ cases: z.array(z.looseObject({ name: z.string() })) });

/** Fails unless each of these cases of `policy-fleet.json` is there and chooses the tag that Fleet chose. */
export function choosesAsFleet(...names: readonly string[]): void {
  assertPassed(names, runPolicy(only(names, 'policy-fleet.json')));
}

/** Fails unless each of these cases of `writeback.json` is there and gives what Fleet gave, whatever the compatibility. */
export function writesAsFleet(...names: readonly string[]): void {
  const cases = only(names, 'writeback.json');
  assertPassed(names, runWriteback(cases, 'None'));
  assertPassed(names, runWriteback(cases, 'Fleet'));
}

/** Fails unless each of these cases of `writeback-compatible.json` is there and gives what Fleet gave, with `compatibility: Fleet`. */
export function compatiblyWritesAsFleet(...names: readonly string[]): void {
  assertPassed(names, runWriteback(only(names, 'writeback-compatible.json'), 'Fleet'));
}

function only(names: readonly string[], file: string): string {
  const url = new URL(`../../conformance/cases/${file}`, import.meta.url);
  const { cases } = caseFile.parse(JSON.parse(readFileSync(url, 'utf8')));
  return JSON.stringify({ cases: cases.filter(({ name }) => names.includes(name)) });
}

function assertPassed(names: readonly string[], outcomes: readonly Outcome[]): void {
  assert.deepEqual(
    outcomes.toSorted((a, b) => names.indexOf(a.name) - names.indexOf(b.name)),
    names.map((name) => ({ name })),
  );
}
