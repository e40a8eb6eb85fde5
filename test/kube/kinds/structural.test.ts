import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { timestamp } from '../../../kube/kinds/common.ts';
import { type JsonSchema, toStructural } from '../../../kube/kinds/structural.ts';

const structural = (schema: z.ZodType): JsonSchema =>
  toStructural(z.toJSONSchema(schema, { io: 'input', target: 'draft-7' }));

describe('toStructural', () => {
  const rows: [what: string, schema: z.ZodType, expected: object][] = [
    [
      'text with bounds',
      z.string().min(1).max(5).describe('d'),
      { type: 'string', minLength: 1, maxLength: 5, description: 'd' },
    ],
    ['text or null', z.string().nullable(), { type: 'string', nullable: true }],
    [
      'an object or null, with the rules of both levels',
      z.object({ a: z.string() }).meta({ 'x-kubernetes-validations': [] }).nullable().describe('d'),
      {
        description: 'd',
        type: 'object',
        properties: { a: { type: 'string' } },
        required: ['a'],
        'x-kubernetes-validations': [],
        nullable: true,
      },
    ],
    ['a whole number', z.int(), { type: 'integer', format: 'int64' }],
    [
      'a whole number with bounds',
      z.int().min(0).max(9),
      { type: 'integer', format: 'int64', minimum: 0, maximum: 9 },
    ],
    ['a time', timestamp, { type: 'string', format: 'date-time' }],
    ['an enumeration', z.enum(['A', 'B']), { type: 'string', enum: ['A', 'B'] }],
    ['a list', z.array(z.boolean()).max(3), { type: 'array', items: { type: 'boolean' }, maxItems: 3 }],
    ['a default', z.string().optional().meta({ default: '15m' }), { type: 'string', default: '15m' }],
    [
      'an object that takes nothing else',
      z.strictObject({ a: z.string().optional() }),
      { type: 'object', properties: { a: { type: 'string' } } },
    ],
  ];
  for (const [what, schema, expected] of rows)
    it(`takes ${what}`, () => assert.deepEqual(structural(schema), expected));

  it('refuses what a CRD cannot say, rather than lose it', () => {
    assert.throws(() => structural(z.union([z.string(), z.boolean()])), /alternatives|types/);
    assert.throws(() => structural(z.literal('x')), /"const" has no counterpart/);
  });
});
