import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { Command, Option } from 'commander';
import { z } from 'zod';
import { address, ConfigError, milliseconds, name, readBy, readConfig } from '../../program/config.ts';

const schema = z.object({
  listen: address,
  pause: milliseconds,
  ownName: name,
  host: z.array(z.string()),
  even: readBy((text) => {
    if (Number(text) % 2 !== 0) throw new Error('is odd');
    return Number(text);
  }).optional(),
});

function read(...argv: string[]): z.output<typeof schema> {
  const command = new Command('program')
    .addOption(new Option('--listen <address>').default(':80'))
    .addOption(new Option('--pause <duration>').default('1s').env('TEST_PAUSE'))
    .addOption(new Option('--own-name <name>'))
    .addOption(
      new Option('--host <host>').argParser((host: string, hosts: string[]) => [...hosts, host]).default([]),
    )
    .addOption(new Option('--even <number>'));
  return readConfig(command, schema, argv);
}

const says = (...lines: string[]) => ({
  name: 'ConfigError',
  code: 'InvalidConfig',
  message: ['program: the configuration is wrong', ...lines].join('\n'),
});

describe('readConfig', () => {
  afterEach(() => delete process.env['TEST_PAUSE']);

  it('gives what the flags say, read', () => {
    assert.deepEqual(read('--own-name', 'x', '--host', 'a', '--pause=1m', '--host', 'b', '--even', '4'), {
      listen: { host: undefined, port: 80 },
      pause: 60_000,
      ownName: 'x',
      host: ['a', 'b'],
      even: 4,
    });
  });

  const wrong: [argv: string[], lines: string[], why: string][] = [
    [[], ['  --own-name: is required'], 'one that has no default'],
    [['--own-name', ''], ['  --own-name: is empty'], 'an empty text'],
    [
      ['--even', '3', '--pause', 'soon', '--listen', 'x'],
      [
        '  --listen: "x" is no address; write it as host:port or :port',
        '  --pause: "soon" is not a duration; write it like 30s, 15m or 1h30m',
        '  --own-name: is required',
        '  --even: is odd',
      ],
      'all at once',
    ],
    [
      ['--nmae', 'x', '--own-name', 'x', '--even', '1', '-z', '--y=1'],
      [
        '  --nmae: there is no such flag',
        '  -z: there is no such flag',
        '  --y: there is no such flag',
        '  --even: is odd',
      ],
      'flags that there are not, beside the others',
    ],
    [['--token=hunter2', '--own-name=x'], ['  --token: there is no such flag'], 'whose value is not shown'],
    [
      ['--own-name', 'x', 'stray', 'more'],
      [
        '  "stray": is not a flag, and only flags are understood',
        '  "more": is not a flag, and only flags are understood',
      ],
      'what is no flag',
    ],
    [
      ['--listen', ':1', '--own-name'],
      ["  option '--own-name <name>' argument missing"],
      'a flag whose value is missing',
    ],
  ];
  for (const [argv, lines, why] of wrong) {
    it(`tells of ${argv.join(' ') || 'no flags'}: ${why}`, () =>
      assert.throws(() => read(...argv), says(...lines)));
  }

  it('names the variable that a wrong value came from', () => {
    process.env['TEST_PAUSE'] = 'x';
    const complaint = '"x" is not a duration; write it like 30s, 15m or 1h30m';
    assert.throws(() => read('--own-name', 'x'), says(`  --pause (from TEST_PAUSE): ${complaint}`));
    assert.throws(() => read('--own-name', 'x', '--pause', 'x'), says(`  --pause: ${complaint}`));
  });

  it('throws what only a person needs to read', () => {
    assert.throws(() => read(), ConfigError);
  });
});
