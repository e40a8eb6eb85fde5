import assert from 'node:assert/strict';
import { it } from 'node:test';
import { artifactTag } from '../../../core/policy/artifact-tag.ts';
import { choose } from '../../../core/policy/choose.ts';
import { explain } from '../../../core/policy/explain.ts';
import { parseSelection, PolicyError, type SelectionSpec } from '../../../core/policy/selection.ts';
import { randomSource } from './hostile.ts';

/** How many tags, ranges and patterns are tried; in all a million in the long form. */
const INPUTS = process.env['SOAK'] === '1' ? 1_000_000 : 20_000;
const TAGS_EACH = 20;
/** What the leader's Lease outlives at any moment, 15 s less the 5 s between renewals; a pattern that is not linear would take hours. */
const LONGEST_STEP_MS = 10_000;

it(`takes ${INPUTS} hostile tags, ranges and patterns without a crash or a stall`, (t) => {
  const random = randomSource(20_261_126);
  let longest = { ms: 0, what: '' };
  let refused = 0;
  for (let done = 0; done < INPUTS; done += TAGS_EACH + 3) {
    const spec: SelectionSpec = {
      policy: random.policy(),
      ...(random.below(2) === 0 && { filterTags: { pattern: random.pattern(), extract: random.template() } }),
      ...(random.below(3) === 0 && { exclude: [random.pattern()] }),
    };
    const tags = Array.from({ length: TAGS_EACH }, () => random.tag());
    const start = performance.now();
    try {
      const selection = { ...parseSelection(spec), artifactOf: artifactTag };
      const facts = { created: new Map(tags.map((tag, index) => [tag, index % 3])) };
      const choice = choose(selection, tags, facts);
      if (choice.kind === 'chosen' && selection.policy.kind !== 'digest')
        assert.ok(tags.includes(choice.tag));
      explain(selection, tags, facts);
    } catch (error) {
      assert.ok(error instanceof PolicyError, String(error));
      refused += 1;
    }
    const ms = performance.now() - start;
    if (ms > longest.ms) longest = { ms, what: JSON.stringify(spec).slice(0, 200) };
  }
  t.diagnostic(`longest step ${longest.ms.toFixed(1)} ms: ${longest.what}; ${refused} specs were refused`);
  assert.ok(longest.ms < LONGEST_STEP_MS, `${longest.ms} ms for ${longest.what}`);
});
