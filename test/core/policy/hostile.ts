import type { PolicySpec } from '../../../core/policy/selection.ts';

/** Makes texts that have hurt parsers before. The same seed makes the same texts. */
export interface RandomSource {
  /** From 0 up to, not including, `limit`. */
  below(limit: number): number;
  tag(): string;
  pattern(): string;
  template(): string;
  policy(): PolicySpec;
}

const VERSION_PIECES = [
  '0',
  '1',
  '9'.repeat(19),
  '0'.repeat(40),
  '.',
  '.',
  '-',
  '+',
  'v',
  'rc',
  'x',
  '*',
  ' ',
  '|',
  '||',
  '>=',
  '<',
  '^',
  '~',
  '!=',
  ',',
  '-0',
];
const PATTERN_PIECES = [
  'a',
  '.',
  '*',
  '+',
  '?',
  '(',
  ')',
  '(a*)*',
  '(a|aa)+',
  '(.*)*',
  '[a-z]',
  '[^\\d]',
  '\\d+',
  '{1,30}',
  '{1000}',
  '{0,9}{0,9}',
  '|',
  '^',
  '$',
  '(?i)',
  '(?P<n>',
  '\\pL',
  '\\Q',
  '\\',
  '(?=',
  '[[:alpha:]]',
  '.{0,50}',
];
const TEMPLATE_PIECES = ['$', '$$', '$1', '${n}', '${', '}', '$n', 'x', '$999999999999', '-'];
const CHARACTERS = [
  'a',
  'A',
  '_',
  '-',
  '.',
  '0',
  '\u0000',
  '\ufeff',
  '\ud800',
  '\u{1f600}',
  '\n',
  '"',
  '%',
  '/',
  'é',
];

/** A linear congruential generator: chance that can be repeated. */
export function randomSource(seed: number): RandomSource {
  let state = seed >>> 0;
  const below = (limit: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  const join = (pieces: readonly string[], most: number): string =>
    Array.from({ length: below(most) + 1 }, () => pieces[below(pieces.length)] ?? '').join('');
  const tags = [
    () => join(VERSION_PIECES, 8),
    () => join(CHARACTERS, 30),
    () => 'a'.repeat(below(128)) + join(CHARACTERS, 2),
    () => `${below(50)}.${below(50)}.${below(50)}${below(3) === 0 ? `-rc.${below(9)}` : ''}`,
    () => '1.'.repeat(below(60)),
    () => '9'.repeat(below(5000)),
    () => `sha256-${'a'.repeat(below(80))}.sig`,
  ];
  return {
    below,
    tag: () => (tags[below(tags.length)] ?? (() => ''))(),
    pattern: () => join(PATTERN_PIECES, 10),
    template: () => join(TEMPLATE_PIECES, 6),
    policy: () => {
      const order = below(2) === 0 ? 'asc' : 'desc';
      const policies: PolicySpec[] = [
        { semver: { range: join(VERSION_PIECES, 12), versions: below(2) === 0 ? 'Lenient' : 'Strict' } },
        { semver: { range: '*' } },
        { semver: { range: '>=0-0' } },
        { alphabetical: { order } },
        { numerical: { order } },
        { newest: {} },
        { digest: { tag: join(CHARACTERS, 5) } },
      ];
      return policies[below(policies.length)] ?? {};
    },
  };
}
