import { Command, Option } from 'commander';
import { addChoiceCommands } from './choice-commands.ts';
import { addConnectionFlags } from './connection-flags.ts';
import { addFileCommands } from './file-commands.ts';
import { addFleetCommands } from './fleet-commands.ts';
import { KUBECTL_HELP, NAMING } from './help.ts';
import { version } from './version.ts';

const STATUS = `Shows ImageScans with the value that each has in force, and GitRepos with what was written back; those of Rancher Fleet
too, where the cluster has them and image scan concerns them.

${NAMING}

Examples:
  # What is in force in the current namespace
  kubectl fleetscan status

  # More of one ImageScan
  kubectl fleetscan status web -o wide

  # One of Fleet's
  kubectl fleetscan status imagescan.fleet.cattle.io/imagescan-apps-0

  # All namespaces, and from then on each change of an ImageScan
  kubectl fleetscan status -A --watch`;

const SCAN = `Asks the reconciler to scan ImageScans, of Fleetscan and of Rancher Fleet, now, whatever their interval.

${NAMING}

Examples:
  # Scan one, and say what came of it
  kubectl fleetscan scan web --wait

  # Scan all of a namespace
  kubectl fleetscan scan --all -n shop`;

/** The command line. What connects to a cluster is imported when it is called for: `version` and `--help` do without. */
export function createProgram(): Command {
  const program = new Command('kubectl fleetscan')
    .description(
      'Shows which image each scan has in force and why, asks for scans, and brings files up to date.',
    )
    .configureHelp(KUBECTL_HELP);
  addConnectionFlags(program);
  addStatus(program);
  addScan(program);
  addChoiceCommands(program);
  addFileCommands(program);
  addFleetCommands(program);
  program
    .command('version')
    .summary('show the version of this plugin')
    .description('Shows the version of this plugin.')
    .action(version);
  return program;
}

function addStatus(program: Command): void {
  program
    .command('status')
    .summary('show the values in force')
    .description(STATUS)
    .argument('[name]', 'an ImageScan; all of the namespace, and its GitRepos, when absent')
    .option('-A, --all-namespaces', 'of all namespaces')
    .addOption(
      new Option('-o, --output <form>', 'form of the output').choices(['wide', 'json', 'yaml', 'name']),
    )
    .option('--show-managed-fields', 'with json and yaml: also who wrote which field')
    .option('-w, --watch', 'go on, and show each change of an ImageScan')
    .action(async (name: string | undefined, _options, command: Command) => {
      const { status } = await import('./status.ts');
      await status(name, command.optsWithGlobals());
    });
}

function addScan(program: Command): void {
  program
    .command('scan')
    .summary('ask for a scan now')
    .description(SCAN)
    .argument('[name...]', 'ImageScans')
    .option('--all', 'all ImageScans of the namespace')
    .option('-A, --all-namespaces', 'with --all: of all namespaces')
    .option('--wait', 'wait for the results and show them')
    .option('--timeout <duration>', 'how long to wait; 0: no end', '1m')
    .action(async (names: string[], _options, command: Command) => {
      const { scan } = await import('./scan.ts');
      await scan(names, command.optsWithGlobals());
    });
}

/**
 * Arguments as kubectl's parser (pflag) takes them and commander does not: `-o=json`, `--watch=true`, `-A=false`. What
 * follows `--` is left alone.
 */
export function kubectlArguments(program: Command, args: readonly string[]): string[] {
  const end = args.includes('--') ? args.indexOf('--') : args.length;
  const switches = new Set(
    commandsOf(program)
      .flatMap(({ options }) => options)
      .filter((option) => option.isBoolean())
      .flatMap(({ short, long }) => [short, long]),
  );
  const read = (arg: string): string[] => {
    const [, flag = '', value = ''] = /^(--?[a-zA-Z][\w-]*)=(.*)$/s.exec(arg) ?? [];
    if (switches.has(flag) && value === 'true') return [flag];
    if (switches.has(flag) && value === 'false') return [];
    return /^-[a-zA-Z]$/.test(flag) ? [flag, value] : [arg];
  };
  return [...args.slice(0, end).flatMap(read), ...args.slice(end)];
}

function commandsOf(command: Command): Command[] {
  return [command, ...command.commands.flatMap(commandsOf)];
}
