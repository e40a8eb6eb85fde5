import { CST } from 'yaml';
import { headerOf, type Scalar } from './pieces.ts';
import { readsAsDate, readsAsOtherType } from './typed.ts';

/** Bytes to put in the place of others. */
export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** What a scalar says; of a block scalar, without the blank lines at its end. */
export function contentOf({ token }: Scalar): string {
  // The file was found to be in order as a whole.
  const { value } = CST.resolveAsScalar(token, false, () => undefined);
  return token.type === 'block-scalar' ? trimBlankLines(value) : value;
}

/** The change that makes a scalar say `content`, in the style it is written in. */
export function spliceFor(scalar: Scalar, content: string, file: string): Splice {
  const { token } = scalar;
  if (token.type === 'block-scalar') return spliceBlock(token, content, file);
  const { offset: start, source } = token;
  // What is empty may follow its tag or anchor without a space.
  const gap = source === '' && /\S/.test(file.charAt(start - 1)) ? ' ' : '';
  return { start, end: start + source.length, text: gap + styled(scalar, content) };
}

/** Whether a plain scalar that says what it should still reads as a number or such, so that it needs quotes. */
export function wantsQuotes({ token }: Scalar, content: string): boolean {
  return token.type === 'scalar' && readsAsOtherType(content);
}

function styled(scalar: Scalar, content: string): string {
  const { type } = scalar.token;
  // Some parsers of YAML 1.1 take a colon in a flow collection for the end of a key; go-yaml, and so Fleet, quotes there.
  const hasFlowColon = type === 'scalar' && scalar.inFlow && content.includes(':');
  if (type === 'single-quoted-scalar' || hasFlowColon) return `'${content.replaceAll("'", "''")}'`;
  return type === 'scalar' && isPlain(content, contentOf(scalar)) ? content : JSON.stringify(content);
}

// Narrower than YAML, wider than names and tags of images.
const PLAIN = /^(?!-$|---|\.\.\.)[\w./-](?:[\w./:@+-]*[\w./@+-])?$/;

function isPlain(content: string, before: string): boolean {
  // A date keeps the look that the date before it had: Kubernetes and Helm read both as strings.
  const looksOdd = readsAsOtherType(content) || (readsAsDate(content) && !readsAsDate(before));
  return PLAIN.test(content) && !looksOdd;
}

/** The lines of text are replaced; the header, its comment, and the blank lines at the end are not. */
function spliceBlock(token: CST.BlockScalar, content: string, file: string): Splice {
  const start = bodyStart(token);
  const end = start + lastLineEnd(token.source);
  const text = `${' '.repeat(indentOf(token))}${content}`;
  if (end > start) return { start, end, text };
  const eol = token.props.find(({ type }) => type === 'newline');
  if (eol !== undefined && 'source' in eol) return { start, end, text: `${text}${eol.source}` };
  return { start, end, text: `${file.includes('\r\n') ? '\r\n' : '\n'}${text}` };
}

/** Where the lines of a block scalar begin, below its header. */
export function bodyStart({ props, offset }: CST.BlockScalar): number {
  const last = props.at(-1);
  return last !== undefined && 'source' in last ? last.offset + last.source.length : offset;
}

function indentOf(token: CST.BlockScalar): number {
  const { source, indent } = token;
  const indicator = /[1-9]/.exec(headerOf(token))?.[0];
  const written = /^(?: *\r?\n)*( *)[^ \r\n]/.exec(source)?.[1]?.length ?? 0;
  return indicator === undefined && written > indent ? written : indent + Number(indicator ?? 2);
}

/** The end of the last line that is not blank, 0 when all are. */
function lastLineEnd(body: string): number {
  let last = body.length;
  while (last > 0 && ' \t\r\n'.includes(body.charAt(last - 1))) last -= 1;
  if (last === 0) return 0;
  const newline = body.indexOf('\n', last);
  if (newline < 0) return body.length;
  return body[newline - 1] === '\r' ? newline - 1 : newline;
}

/** Takes the blank lines off its end. Without a regular expression, which would take quadratic time. */
function trimBlankLines(text: string): string {
  let end = text.length;
  for (let at = end - 1; at >= 0 && ' \t\n'.includes(text.charAt(at)); at--) if (text[at] === '\n') end = at;
  return text.slice(0, end);
}
