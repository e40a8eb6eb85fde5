import type { Command } from 'commander';
import { z } from 'zod';
import { CodedError, messageOf } from '../core/errors.ts';
import { parseDuration } from '../core/duration.ts';
import { parseAddress } from './address.ts';

/** Thrown by {@link readConfig}; its message has a line for each mistake. */
export class ConfigError extends CodedError<'InvalidConfig'> {}

/**
 * Reads a program's flags, and the environment variables that its options name, and checks all of them.
 *
 * @param command declares the options, all as text
 * @param schema takes what commander gathered, by camel-cased option name
 * @throws {ConfigError} naming every flag that is wrong
 */
export function readConfig<T extends z.ZodType>(
  command: Command,
  schema: T,
  argv: readonly string[],
): z.output<T> {
  command.parse(argv, { from: 'user' });
  const result = schema.safeParse(command.opts());
  if (result.success) return result.data;
  const lines = result.error.issues.map((issue) => `  ${flagOf(issue.path[0])}: ${issue.message}`);
  throw new ConfigError(
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

function flagOf(option: PropertyKey | undefined): string {
  return `--${String(option).replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
