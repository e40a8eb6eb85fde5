const LITERAL = /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/;
const NAMED = new RegExp(String.raw`\b(?:it|test|describe)(?:\.\w+)?\(\s*(${LITERAL.source})`, 'g');
/** Of a name that is put together at run time this much has to be written: `${name}` alone would be any. */
const LEAST_WRITTEN = 12;

/** Is there a test or suite of that name in a source file? */
export function hasTest(source: string, name: string): boolean {
  return Array.from(source.matchAll(NAMED), ([, literal = '']) => literal).some((literal) =>
    literal.startsWith('`') ? isMadeBy(literal, name) : unescaped(literal) === name,
  );
}

function isMadeBy(template: string, name: string): boolean {
  const written = unescaped(template).split(/\$\{[^}]*\}/);
  const isEnough = written.length === 1 || written.join('').length >= LEAST_WRITTEN;
  const pattern = written.map((part) => RegExp.escape(part)).join('.+');
  return isEnough && new RegExp(`^${pattern}$`, 's').test(name);
}

function unescaped(literal: string): string {
  return literal.slice(1, -1).replaceAll(/\\(.)/g, '$1');
}
