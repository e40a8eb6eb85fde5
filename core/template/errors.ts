import { CodedError } from '../errors.ts';

/** A template that cannot be read or carried out. The message begins with the place: `line 2, column 7: …`. */
export class TemplateError extends CodedError<'InvalidTemplate'> {
  /** Both counted from 1, the column in characters. */
  readonly line: number;
  readonly column: number;

  constructor(source: string, offset: number, problem: string) {
    const before = source.slice(0, offset);
    const lineStart = before.lastIndexOf('\n') + 1;
    const line = before.split('\n').length;
    const column = Array.from(before.slice(lineStart)).length + 1;
    super('InvalidTemplate', `line ${line}, column ${column}: ${problem}`);
    this.line = line;
    this.column = column;
  }
}

/** What a function cannot do with its arguments; the place is known to who called it. */
export class ArgumentError extends CodedError<'InvalidArgument'> {
  constructor(message: string) {
    super('InvalidArgument', message);
  }
}

/** Thrown when a limit is reached, to end the rendering there. */
export class Exhausted extends CodedError<'Exhausted'> {}
