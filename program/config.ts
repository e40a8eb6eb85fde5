import type { Command } from 'commander';
import { z } from 'zod';
import { CodedError, messageOf } from '../core/errors.ts';
import { parseDuration } from '../core/duration.ts';
import { parseAddress } from './address.ts';

/** Thrown by {@link readConfig}; its message has a line for each mistake. */
export class ConfigError extends CodedError<'InvalidConfig'> {}

/**
 * Reads a program's flags, and the environment variables that its options name, and checks all of them. Where a flag asks
 * for help, the process ends.
 *
 * @param command declares the options, all as text
 * @param schema takes what commander gathered, by camel-cased option name
 * @throws {ConfigError} naming every flag that is wrong, or the last one when its value is missing
 */
export function readConfig<T extends z.ZodType>(
  command: Command,
  schema: T,
  argv: readonly string[],
): z.output<T> {
  parse(command, argv);
  const result = schema.safeParse(command.opts());
  const mistakes = [
    ...strangers(command.args),
    ...(result.error?.issues ?? []).map(({ path, message }) => `${source(command, path[0])}: ${message}`),
  ];
  if (result.success && mistakes.length === 0) return result.data;
  throw complaint(command, mistakes);
}

/** What commander would print and end the process for is thrown, or left to be told along with all else that is wrong. */
function parse(command: Command, argv: readonly string[]): void {
  command
    .allowUnknownOption()
    .allowExcessArguments()
    .configureOutput({ outputError: () => undefined })
    .exitOverride((error) => {
      if (error.exitCode !== 0) throw complaint(command, [error.message.replace(/^error: /, '')]);
    })
    .parse(argv, { from: 'user' });
}

/** Of what commander could not place, an argument after an unknown flag is taken for its value and passed over. */
function strangers(args: readonly string[]): string[] {
  const isFlag = (arg: string | undefined): boolean => arg?.startsWith('-') === true;
  return args.flatMap((arg, index) => {
    if (isFlag(arg)) return `${arg.replace(/=.*/s, '')}: there is no such flag`;
    return isFlag(args[index - 1]) ? [] : `"${arg}": is not a flag, and only flags are understood`;
  });
}

function complaint(command: Command, mistakes: readonly string[]): ConfigError {
  const lines = mistakes.map((mistake) => `  ${mistake}`);
  return new ConfigError(
    'InvalidConfig',
    `${command.name()}: the configuration is wrong\n${lines.join('\n')}`,
  );
}

/** A flag's text, read by `read`; what that throws is the complaint about the flag. */
export function readBy<T>(read: (text: string) => T) {
  return z.string().transform((text, context) => {
    try {
      return read(text);
    } catch (error) {
      context.addIssue({ code: 'custom', message: messageOf(error) });
      return z.NEVER;
    }
  });
}

/** `host:port`. */
export const address = readBy(parseAddress);

/** A Go duration, in milliseconds. */
export const milliseconds = readBy(parseDuration);

/** A text that must be given and not be empty. */
export const name = z.string({ error: 'is required' }).min(1, 'is empty');

/** The flag that a value belongs to, and the environment variable where it came from there. */
function source(command: Command, key: PropertyKey | undefined): string {
  const option = command.options.find((option) => option.attributeName() === key);
  if (option === undefined) return String(key);
  const isFromEnvironment = command.getOptionValueSource(option.attributeName()) === 'env';
  return isFromEnvironment ? `${option.long} (from ${option.envVar})` : `${option.long}`;
}
