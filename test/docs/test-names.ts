const LITERAL = /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/;
const NAMED = new RegExp(String.raw`\b(?:it|test|describe)(?:\.\w+)?\(\s*(${LITERAL.source})`, 'g');

/**
 * The names of the tests and suites in a source file, as they are written. One that is put together at run time is in it with its
 * `${…}`.
 */
export function testNames(source: string): string[] {
  return Array.from(source.matchAll(NAMED), ([, literal = '']) =>
    literal.slice(1, -1).replaceAll(/\\(.)/g, '$1'),
  );
}
