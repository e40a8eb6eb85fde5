import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TemplateError } from '../../../core/template/errors.ts';
import { render } from '../../../core/template/execution.ts';
import { parseTemplate } from '../../../core/template/parser.ts';
import golden from './cases/go.json' with { type: 'json' };
import { fromJson } from './from-json.ts';

const data = fromJson(golden.data);

/** Each a template and what text/template of Go 1.26 makes of it with sprig 3.3's hermetic functions; null where that is an error. */
const cases = golden.cases as [template: string, output: string | null][];

describe('templates give what they give in Go', () => {
  it('with an output', () => {
    const outputs = cases.filter(([, output]) => output !== null);
    assert.ok(outputs.length > 1000);
    for (const [template, output] of outputs)
      assert.deepEqual(render(parseTemplate(template), data), { text: output }, template);
  });

  it('with an error, that has a place', () => {
    const errors = cases.filter(([, output]) => output === null);
    assert.ok(errors.length > 200);
    for (const [template] of errors)
      assert.throws(
        () => render(parseTemplate(template), data),
        (error) => error instanceof TemplateError && /^line \d+, column \d+: ./.test(error.message),
        template,
      );
  });
});
