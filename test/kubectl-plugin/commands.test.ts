import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Command } from 'commander';
import { createProgram, kubectlArguments } from '../../kubectl-plugin/commands.ts';

describe('the command line', () => {
  it('takes all flags before and after the verb', () => {
    const wanted = { namespace: 'shop', output: 'json', requestTimeout: '30s' };
    assert.deepEqual(parsed('-n', 'shop', 'status', '-o', 'json').flags, wanted);
    assert.deepEqual(parsed('status', '-o', 'json', '-n', 'shop').flags, wanted);
    assert.deepEqual(parsed('status', '--namespace=shop', '-ojson').flags, wanted);
  });

  it('takes flags in the forms that kubectl takes', () => {
    const { flags } = parsed(
      'status',
      '-o=wide',
      '-n=shop',
      '--watch=true',
      '-A=false',
      '--show-managed-fields=true',
    );
    assert.deepEqual(flags, {
      output: 'wide',
      namespace: 'shop',
      watch: true,
      showManagedFields: true,
      requestTimeout: '30s',
    });
  });

  it('takes values as they are, also when they look like a switch', () => {
    assert.equal(parsed('status', '--context=true').flags['context'], 'true');
    assert.deepEqual(parsed('scan', '--', '-o=json').args, [['-o=json']]);
  });

  it('takes the flags of a verb below a verb in the same forms', () => {
    const args = ['fleet', 'migrate', '--all-namespaces=true', '-o=yaml', '--dry-run=server'];
    const given = ['fleet', 'migrate', '--all-namespaces', '-o', 'yaml', '--dry-run=server'];
    assert.deepEqual(kubectlArguments(createProgram(), args), given);
  });

  it('leaves other arguments alone', () => {
    const args = ['scan', 'web', 'a=b', '--timeout=5s', '--wait=maybe', '-', '--token', 'x=y=='];
    assert.deepEqual(kubectlArguments(createProgram(), args), args);
  });

  it('waits a minute for a scan unless told otherwise', () => {
    assert.equal(parsed('scan', 'web', '--wait').flags['timeout'], '1m');
  });
});

describe('help', () => {
  it('is in the order of kubectl: what it does, commands, options, usage', () => {
    const help = createProgram().helpInformation();
    assert.match(
      help,
      /^Shows which image.*\n\nAvailable Commands:\n  status .*\nOptions:\n  --kubeconfig .*\nUsage:\n  kubectl fleetscan .*\n\nUse "kubectl fleetscan <command> --help"/s,
    );
  });

  for (const verb of ['status', 'scan', 'version']) {
    it(`of ${verb} shows how it is used, with the options of all commands`, () => {
      const help = verbOf(createProgram(), verb).helpInformation();
      assert.match(help, new RegExp(`\\nUsage:\\n  kubectl fleetscan ${verb}`));
      assert.match(help, /\nOptions of all commands:\n.*--context <name>/s);
      if (verb !== 'version')
        assert.match(help, new RegExp(`\\n\\nExamples:\\n.*  kubectl fleetscan ${verb}`, 's'));
      assert.deepEqual(
        help.split('\n').filter((line) => line.length > 80),
        [],
      );
    });
  }

  it('fits text to the width as a whole, and leaves examples in one piece', () => {
    const help = verbOf(createProgram(), 'update').helpInformation();
    assert.ok(
      help.includes(
        '\n  kubectl fleetscan status -o yaml | kubectl fleetscan update . --scans - --offline\n',
      ),
    );
    const [description = ''] = help.split('\n\n');
    const lines = description.split('\n');
    for (const [index, line] of lines.slice(0, -1).entries()) {
      const [next = ''] = lines[index + 1]!.split(' ');
      assert.ok(line.length + 1 + next.length > 80, `room for "${next}" behind "${line}"`);
    }
  });
});

/** What the action of the verb would be given. */
function parsed(...args: string[]): { flags: Record<string, unknown>; args: unknown[] } {
  const program = createProgram();
  let result: { flags: Record<string, unknown>; args: unknown[] } | undefined;
  for (const verb of program.commands) {
    verb.action((...given: unknown[]) => {
      const command = given.at(-1) as Command;
      result = { flags: command.optsWithGlobals(), args: given.slice(0, -2) };
    });
  }
  program.parse(kubectlArguments(program, args), { from: 'user' });
  return result!;
}

function verbOf(program: Command, name: string): Command {
  return program.commands.find((command) => command.name() === name)!;
}
