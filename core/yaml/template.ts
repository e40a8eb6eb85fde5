// A printable character of YAML that nobody writes: https://yaml.org/spec/1.2.2/#51-character-set
const STAND_IN = '\u{E000}';
/** Actions that are all of a line, or all that follows a colon or dash on it. */
const ACTIONS_ALONE =
  /(?<=^\u{FEFF}?)[ \t\u{E000}]*(?=#|\r?$)|(?<=[:-])[ \t][ \t\u{E000}]*(?=(?<=[ \t])#|\r?$)/gmu;

/**
 * Takes the actions of a Helm template, `{{ … }}` as Go's text/template has them, out of a YAML file. An action among other
 * text of its line becomes a word of the same length, as its value will be one. Alone on its line, or behind a key as in
 * `labels: {{- include "labels" . | nindent 4 }}`, it may be lines of a mapping that goes on below, and becomes blank. So
 * every offset is one of the file, too.
 *
 * @returns undefined when the file has no action, or one that does not end
 */
export function maskActions(text: string): string | undefined {
  const parts: string[] = [];
  let at = 0;
  for (let start = text.indexOf('{{'); start >= 0; start = text.indexOf('{{', at)) {
    const end = endOfAction(text, start + 2);
    if (end === undefined) return undefined;
    parts.push(text.slice(at, start), standIns(text.slice(start, end)));
    at = end;
  }
  if (parts.length === 0) return undefined;
  return (parts.join('') + text.slice(at)).replaceAll(ACTIONS_ALONE, (line) =>
    line.replaceAll(STAND_IN, ' '),
  );
}

/** Below its first line an action is no word of the text beside it. */
function standIns(action: string): string {
  const [first = '', ...rest] = action.split('\n');
  return [STAND_IN.repeat(first.length), ...rest.map((line) => ' '.repeat(line.length))].join('\n');
}

/** What makes no text by itself. */
const CONTROL = /\{\{-?\s*(?:end|else|if|range|with|define|block|break|continue|\/\*)(?![\w.])/y;

/**
 * Whether the scalar in a range of a template may be part of a longer one: an action stands right before it, or right behind
 * it on its line, or trims the line break in between, as in `v1\n{{- .suffix }}`.
 */
export function meetsAction(text: string, start: number, end: number): boolean {
  let before = start;
  while (isBlank(text[before - 1])) before -= 1;
  if (text.endsWith('}}', before)) return true;
  let after = end;
  while (isBlank(text[after])) after += 1;
  if (!text.startsWith('{{', after)) return false;
  const trims = text.startsWith('{{-', after) && !isControl(text, after);
  return trims || !text.slice(end, after).includes('\n');
}

function isBlank(character: string | undefined): boolean {
  return character !== undefined && ' \t\r\n'.includes(character);
}

function isControl(text: string, action: number): boolean {
  CONTROL.lastIndex = action;
  return CONTROL.test(text);
}

const COMMENT = /(?:-\s)?\/\*/y;
const STRING_OR_END = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`|\}\}/g;

/** A comment ends at its own end alone, and in a string no `}}` counts. */
function endOfAction(text: string, start: number): number | undefined {
  COMMENT.lastIndex = start;
  if (COMMENT.test(text)) {
    const comment = text.indexOf('*/', COMMENT.lastIndex);
    const end = comment < 0 ? -1 : text.indexOf('}}', comment);
    return end < 0 ? undefined : end + 2;
  }
  STRING_OR_END.lastIndex = start;
  for (let found = STRING_OR_END.exec(text); found !== null; found = STRING_OR_END.exec(text)) {
    if (found[0] === '}}') return STRING_OR_END.lastIndex;
  }
  return undefined;
}
