import { structuredPatch } from 'diff';

/** A file before and after. */
export interface FileChange {
  /** From the root, with `/` between its parts. */
  readonly path: string;
  readonly before: Buffer;
  readonly after: Buffer;
}

/** The changes as a patch that `git apply` and `patch -p1` take; its bytes are those of the files, which are UTF-8. */
export function unifiedDiff(changes: readonly FileChange[]): string {
  return changes.map(fileDiff).join('');
}

function fileDiff({ path, before, after }: FileChange): string {
  const { hunks } = structuredPatch(path, path, before.toString(), after.toString(), '', '', { context: 3 });
  const [from, to] = [`a/${path}`, `b/${path}`].map(quoted);
  // A name with a space ends with a tab, so that it is not taken for name and date.
  const end = path.includes(' ') ? '\t' : '';
  const head = [`diff --git ${from} ${to}`, `--- ${from}${end}`, `+++ ${to}${end}`];
  const body = hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines }) => [
    `@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`,
    ...lines,
  ]);
  return `${[...head, ...body].join('\n')}\n`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
  '"': '\\"',
  '\\': '\\\\',
};

/** A name as Git writes it: in quotes, as in C, where it has what would end it. */
function quoted(name: string): string {
  const escaped = name.replaceAll(/[\p{Cc}"\\]/gu, (character) => ESCAPES[character] ?? octal(character));
  return escaped === name ? name : `"${escaped}"`;
}

function octal(character: string): string {
  return [...Buffer.from(character)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
}
