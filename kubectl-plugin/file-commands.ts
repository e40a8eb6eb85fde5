import { type Command, Option } from 'commander';
import { addDockerConfig, addRegistryFlags, collect } from './registry-flags.ts';

const UPDATE = `Writes the images that scans have in force into the files of a folder, as write-back does in Git: beside each marker, and nothing
else changes. No cluster is needed.

Scans are ImageScans, of Fleetscan or of Rancher Fleet, or a fleet.yaml. One with a value in its status has that; the others ask the registry from here.

Exit code: 0 when there was nothing to do, 2 when something was changed or would be, 1 when something went wrong.

Examples:
  # What would change?
  kubectl fleetscan update . --scans fleet.yaml --dry-run

  # The same as a patch
  kubectl fleetscan update . --scans fleet.yaml --dry-run -o diff

  # With the values that the cluster has in force
  kubectl fleetscan status -o yaml | kubectl fleetscan update . --scans - --offline`;

const RESOLVE = `Prints manifests with the images that pods would get: by the markers in comments, and by the marker annotations of pods and
pod templates, which count as they do at admission. All else stays as it is. No cluster is needed.

Examples:
  # Apply a deployment with resolved images
  kubectl fleetscan resolve -f deploy.yaml --scans scans.yaml | kubectl apply -f -

  # As a KRM function: a ResourceList with the scans in its functionConfig
  kpt fn eval --exec 'kubectl-fleetscan resolve -f -' --fn-config scans.yaml`;

/** Adds the verbs that work on files. */
export function addFileCommands(program: Command): void {
  const update = program
    .command('update')
    .summary('write current images into files')
    .description(UPDATE)
    .argument('<folder>', 'the checkout; - for a ResourceList on standard input')
    .option<string[] | undefined>(
      '--path <path>',
      'file, folder or glob in it to look into, as in a GitRepo; may be repeated',
      collect,
    )
    .option('--dry-run', 'write nothing')
    .option('--all', 'show the markers that are up to date, too')
    .option('--strict', 'it is an error when a marker is left alone')
    .addOption(new Option('-o, --output <form>', 'form of the output').choices(['diff', 'json', 'markdown']))
    .action(async (folder: string, _options, command: Command) => {
      const { update } = await import('./update.ts');
      await update(folder, command.optsWithGlobals());
    });
  addScansFlags(update);
  const resolve = program
    .command('resolve')
    .summary('print manifests with current images')
    .description(RESOLVE)
    .option<string[] | undefined>(
      '-f, --filename <file>',
      'file or folder with manifests; may be repeated; - for standard input',
      collect,
    )
    .action(async (_options, command: Command) => {
      const { resolve } = await import('./resolve.ts');
      await resolve(command.optsWithGlobals());
    });
  addScansFlags(resolve);
}

function addScansFlags(command: Command): void {
  command
    .option<string[] | undefined>(
      '--scans <file>',
      'file with ImageScans, or a fleet.yaml; may be repeated; - for standard input',
      collect,
    )
    .option('--offline', 'ask no registry: values come from the status of ImageScans')
    .option('--gitrepo <name>', 'the GitRepo as which markers are looked up')
    .addOption(
      new Option(
        '--compatibility <mode>',
        "what is written beside markers in comments: 'Fleet' for what Fleet writes, as spec.compatibility of a GitRepo",
      ).choices(['None', 'Fleet']),
    );
  addDockerConfig(addRegistryFlags(command));
}
