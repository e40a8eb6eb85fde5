import { RE2JS, RE2JSException } from 're2js';
import { CodedError } from './errors.ts';

/** Thrown by {@link compileGoRegExp}. The message is that of Go's parser. */
export class GoRegExpError extends CodedError<'InvalidPattern'> {}

/** A regular expression in the syntax of Go's `regexp` (RE2). Its time is linear in the text, whatever the pattern. */
export interface GoRegExp {
  /** How many instructions it has, with all repetitions written out: its time is that times the length of the text at most. */
  readonly size: number;
  /** Does it match anywhere in the text? */
  test(text: string): boolean;
  /** The template with the groups of the first match put in, as Go's `Expand` does; undefined where there is no match. */
  expand(text: string, template: Template): string | undefined;
}

/** A template, read once by {@link parseTemplate}. */
export type Template = readonly Part[];

type Part = { readonly literal: string } | { readonly group: string };

/**
 * Compiles a pattern.
 *
 * @throws {GoRegExpError}
 */
export function compileGoRegExp(pattern: string): GoRegExp {
  const compiled = compile(pattern);
  const nameIndex = new Map(Object.entries(compiled.namedGroups()));
  return {
    size: compiled.programSize(),
    test: (text) => compiled.test(text),
    expand: (text, template) => {
      const matcher = compiled.matcher(text);
      if (!matcher.find()) return undefined;
      const valueOf = (group: string): string => {
        const index = PLACE.test(group) ? Number(group) : nameIndex.get(group);
        const isThere = index !== undefined && index <= compiled.groupCount();
        return (isThere && matcher.group(index)) || '';
      };
      return template.map((part) => ('literal' in part ? part.literal : valueOf(part.group))).join('');
    },
  };
}

function compile(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    if (error instanceof RE2JSException)
      throw new GoRegExpError('InvalidPattern', error.message, { cause: error });
    throw error;
  }
}

// What Go takes for the place of a group and not for its name: no leading zero, and less than 10^9.
const PLACE = /^(?:0|[1-9]\d{0,8})$/;

// $name is the longest run of letters, digits and underscores, ${name} the same in braces, $$ a dollar sign; any other dollar sign
// stands for itself (https://pkg.go.dev/regexp#Regexp.Expand).
const PART = /\$(?:(\$)|([\p{L}\p{Nd}_]+)|\{([\p{L}\p{Nd}_]+)\})?/gu;

/** Reads a template such as `$major.${minor}`. There is none that cannot be read. */
export function parseTemplate(template: string): Template {
  const parts: Part[] = [];
  let end = 0;
  for (const match of template.matchAll(PART)) {
    parts.push({ literal: template.slice(end, match.index) });
    const [whole, dollar, bare, braced] = match;
    const group = bare ?? braced;
    parts.push(group === undefined ? { literal: dollar ?? whole } : { group });
    end = match.index + whole.length;
  }
  return [...parts, { literal: template.slice(end) }];
}
