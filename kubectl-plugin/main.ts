#!/usr/bin/env node
import { Command, Option } from 'commander';
import { addConnectionOptions } from './connection.ts';

// Each verb is imported when it is called: `version` then starts as fast as Node itself.
const program = new Command('kubectl fleetscan')
  .description('Shows which image each scan has in force and why, and asks for scans.')
  .helpCommand(false)
  .showSuggestionAfterError();
addConnectionOptions(program);

program
  .command('status')
  .summary('show the values in force')
  .description(
    'Shows ImageScans with the value that each has in force, and GitRepos with what was written back.',
  )
  .argument('[name]', 'an ImageScan; all of the namespace when absent')
  .option('-A, --all-namespaces', 'of all namespaces')
  .addOption(
    new Option('-o, --output <form>', 'form of the output').choices(['wide', 'json', 'yaml', 'name']),
  )
  .option('-w, --watch', 'go on, and show each change')
  .addHelpText(
    'after',
    '\nExamples:\n  kubectl fleetscan status\n  kubectl fleetscan status web -o wide\n  kubectl fleetscan status -A --watch',
  )
  .action(async (name: string | undefined, _options, command: Command) => {
    const { status } = await import('./status.ts');
    await status(name, command.optsWithGlobals());
  });

program
  .command('scan')
  .summary('ask for a scan now')
  .description('Asks the reconciler to scan ImageScans now, whatever their interval.')
  .argument('[name...]', 'ImageScans')
  .option('--all', 'all ImageScans of the namespace')
  .option('--wait', 'wait for the results and show them')
  .option('--timeout <duration>', 'how long to wait', '1m')
  .addHelpText(
    'after',
    '\nExamples:\n  kubectl fleetscan scan web --wait\n  kubectl fleetscan scan --all -n shop',
  )
  .action(async (names: string[], _options, command: Command) => {
    const { scan } = await import('./scan.ts');
    await scan(names, command.optsWithGlobals());
  });

program
  .command('version')
  .summary('show the version of this plugin')
  .action(async () => {
    const { version } = await import('./version.ts');
    version();
  });

try {
  await program.parseAsync();
} catch (error) {
  const { report } = await import('./failure.ts');
  report(error);
}
