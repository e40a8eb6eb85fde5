import { type Command, Option } from 'commander';

const FLEET = `Moves a cluster from the image scan of Rancher Fleet to Fleetscan, which serves Fleet's ImageScans and GitRepos in place.

Examples:
  # Where does this cluster stand, and what is the next step?
  kubectl fleetscan fleet check

  # See Fleet's objects as objects of Fleetscan
  kubectl fleetscan fleet migrate -A -o yaml`;

const CHECK = `Tells what Fleet and Fleetscan do in this cluster, what will happen, and the next step as a command to paste; after a takeover
also whether two controllers still write. Nothing is changed.

The exit code is 0 when nothing has to be done, and 1 when a step is open, two controllers write, or another finding has to be
dealt with. What can stay as it is (Orphaned, GitRepoMissing, NoWriteAccess) is told and leaves it 0.

It reads Deployments, mutating webhook configurations, and the ImageScans and GitRepos of Fleet and Fleetscan in all namespaces. Where you may
not read all of these it goes by what you may read (of Deployments those of cattle-fleet-system and fleetscan-system), and says what it could not read.

Examples:
  # Where does this cluster stand?
  kubectl fleetscan fleet check

  # For programs
  kubectl fleetscan fleet check -o json`;

const MIGRATE = `Makes ImageScans and GitRepos of Fleetscan of those of Fleet, with the values in force, so that nothing waits for a first scan.
Fleet's own objects stay as they are, and its GitRepos go on deploying; what can be deleted then is told.

An object of Fleetscan that somebody else made or changed is left alone. That, and what cannot be converted, is told; the others go on, and the
exit code is 1. A second run changes nothing.

With -o yaml or json nothing is changed, and the values in force are not in the output, for kubectl apply writes no status: the
first scan finds them again.

You need the verb list on imagescans and gitrepos of fleet.cattle.io and fleetscan.io, and unless -o is given also create,
get and patch on those of fleetscan.io, and patch on imagescans/status of fleetscan.io.

Examples:
  # What would become of the objects of all namespaces
  kubectl fleetscan fleet migrate -A --dry-run

  # Do it in one namespace
  kubectl fleetscan fleet migrate -n fleet-default

  # As manifests, to be kept in Git
  kubectl fleetscan fleet migrate -n fleet-default -o yaml > scans.yaml`;

/** Adds the verbs for clusters with Rancher Fleet. */
export function addFleetCommands(program: Command): void {
  const fleet = program.command('fleet').summary("move from Rancher Fleet's image scan").description(FLEET);
  fleet
    .command('check')
    .summary('tell where a cluster stands, and the next step')
    .description(CHECK)
    .addOption(form())
    .action(async (_options, command: Command) => {
      const { check } = await import('./fleet/check.ts');
      await check(command.optsWithGlobals());
    });
  fleet
    .command('migrate')
    .summary("turn Fleet's objects into objects of Fleetscan")
    .description(MIGRATE)
    .option('-A, --all-namespaces', 'of all namespaces')
    .addOption(form())
    .addOption(
      new Option('--dry-run [mode]', 'server: let the API server check everything and store nothing')
        .choices(['none', 'server'])
        .preset('server'),
    )
    .action(async (_options, command: Command) => {
      const { migrate } = await import('./fleet/migrate.ts');
      await migrate(command.optsWithGlobals());
    });
}

function form(): Option {
  return new Option('-o, --output <form>', 'form of the output').choices(['json', 'yaml']);
}
