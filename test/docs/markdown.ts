/** A link of a page, as it is written: `[text](target)`. */
export interface Link {
  /** Without the backslashes that Markdown wants before some characters. */
  readonly text: string;
  readonly target: string;
}

/** The links of a page or a part of it, pictures too; those in code are none. */
export function linksIn(markdown: string): Link[] {
  return [...withoutCode(markdown).matchAll(/\[((?:[^[\]\\]|\\.)*)\]\(([^()\s]+)\)/g)].map(
    ([, text = '', target = '']) => ({ text: unescaped(text), target }),
  );
}

/** The anchors of a page's headings, as GitHub makes them. */
export function anchorsIn(markdown: string): Set<string> {
  const headings = withoutBlocks(markdown).matchAll(/^#+ +(.*?)\s*$/gm);
  const count = new Map<string, number>();
  return new Set(
    Array.from(headings, ([, heading = '']) => {
      const slug = heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\p{M} _-]/gu, '')
        .replaceAll(' ', '-');
      const before = count.get(slug) ?? 0;
      count.set(slug, before + 1);
      return before === 0 ? slug : `${slug}-${before}`;
    }),
  );
}

/** The part of a page under a heading of the second level. @throws when there is none */
export function sectionOf(markdown: string, heading: string): string {
  const [, rest] = markdown.split(`\n## ${heading}\n`);
  if (rest === undefined) throw new Error(`there is no section ${heading}`);
  return rest.split(/\n## /)[0] ?? '';
}

/** The cells of the rows of all tables in a part of a page, without the headings. */
export function tableRows(markdown: string): string[][] {
  const lines = withoutBlocks(markdown).split('\n');
  return lines.flatMap((line, index) => {
    const isHead = /^\|[-| ]+\|$/.test(lines[index + 1] ?? '');
    return line.startsWith('|') && !isHead && !/^\|[-| ]+\|$/.test(line) ? [cellsOf(line)] : [];
  });
}

function cellsOf(line: string): string[] {
  return line
    .slice(1, line.lastIndexOf('|'))
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim());
}

function unescaped(text: string): string {
  return text.replaceAll(/\\([!-/:-@[-`{-~])/g, '$1');
}

function withoutBlocks(markdown: string): string {
  return markdown.replaceAll(/^```[^]*?^```$/gm, '');
}

/** A link text may have code in it, and code may look like a link. */
function withoutCode(markdown: string): string {
  return withoutBlocks(markdown).replaceAll(/`[^`\n]*\]\([^`\n]*`/g, '');
}
