import { type Command, Option } from 'commander';
import { NAMING } from './help.ts';
import { addPolicyFlags } from './policy-flags.ts';
import { addDockerConfig, addRegistryFlags, collect } from './registry-flags.ts';

const EXPLAIN = `Shows what an ImageScan's policy makes of each tag of its image: which one it chooses, and why not the others.

The registry is asked from here, with the credentials of the ImageScan where you may read them. Nothing is changed.

${NAMING}

Examples:
  # Why this tag?
  kubectl fleetscan explain web

  # For programs
  kubectl fleetscan explain web -o json`;

const TRY = `Shows what a policy would choose, and why, without a cluster.

Examples:
  # The newest 1.x of an image
  kubectl fleetscan try --image ghcr.io/acme/web --semver ^1

  # Among the tags of a file, or of another program
  crane ls ghcr.io/acme/web | kubectl fleetscan try --tags-from - --filter '^v(?P<version>.*)-alpine$' --extract '$version'`;

const LINT = `Looks over ImageScans, of Fleetscan and of Rancher Fleet, in the cluster or in files: mistakes in the spec, what a scan would
give now, and choices that are probably not what was meant. Of a fleet.yaml or fleetscan.yaml it looks over the imageScans.

${NAMING}

Examples:
  # All of the namespace
  kubectl fleetscan lint

  # Files, in CI, without asking registries
  kubectl fleetscan lint -f scans/ --offline

  # What a GitRepo would make ImageScans of
  kubectl fleetscan lint -f fleet.yaml`;

const FORM = 'form of the output: everything as json or yaml, or the chosen tag alone by name';

/** Adds the verbs that show what a policy chooses. */
export function addChoiceCommands(program: Command): void {
  addExplain(program);
  addTry(program);
  addLint(program);
}

function addExplain(program: Command): void {
  const command = program
    .command('explain')
    .summary('show what was chosen, and why not the others')
    .description(EXPLAIN)
    .argument('<name>', 'an ImageScan')
    .addOption(form())
    .action(async (name: string, _options, command: Command) => {
      const { explain } = await import('./explain.ts');
      await explain(name, command.optsWithGlobals());
    });
  addRegistryFlags(command);
}

function addTry(program: Command): void {
  const command = program
    .command('try')
    .summary('show what a policy would choose, without a cluster')
    .description(TRY)
    .option('--image <reference>', 'image whose tags are chosen from')
    .option(
      '--tags-from <file>',
      'file with tags to choose from, one a line or as JSON; - for standard input',
    )
    .addOption(form())
    .action(async (_options, command: Command) => {
      const { tryPolicy } = await import('./try.ts');
      await tryPolicy(command.optsWithGlobals());
    });
  addDockerConfig(addRegistryFlags(addPolicyFlags(command)));
}

function addLint(program: Command): void {
  const command = program
    .command('lint')
    .summary('look over ImageScans')
    .description(LINT)
    .argument('[name...]', 'ImageScans; all of the namespace when absent')
    .option<string[] | undefined>(
      '-f, --filename <file>',
      'file or folder with ImageScans or a fleet.yaml, in place of the cluster; may be repeated; - for standard input',
      collect,
    )
    .option('--offline', 'ask no registry')
    .action(async (names: string[], _options, command: Command) => {
      const { lint } = await import('./lint.ts');
      await lint(names, command.optsWithGlobals());
    });
  addDockerConfig(addRegistryFlags(command));
}

function form(): Option {
  return new Option('-o, --output <form>', FORM).choices(['json', 'yaml', 'name']);
}
