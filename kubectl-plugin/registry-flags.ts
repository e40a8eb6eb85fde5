import type { Command } from 'commander';

/** The flags of verbs that ask registries themselves. Names and meanings are the reconciler's. */
export interface RegistryFlags {
  readonly insecureRegistry?: readonly string[];
  readonly registriesConfig?: string;
}

/** Declares {@link RegistryFlags}. */
export function addRegistryFlags(command: Command): Command {
  return command
    .option<string[] | undefined>(
      '--insecure-registry <host>',
      'registry that is spoken to over plain HTTP; may be repeated',
      collect,
    )
    .option('--registries-config <file>', 'settings for registries, as the reconciler takes them');
}

/** Declares `--docker-config`. */
export function addDockerConfig(command: Command): Command {
  return command.option(
    '--docker-config <file>',
    'Docker configuration with credentials, such as ~/.docker/config.json',
  );
}

/** Gathers the values of a flag that may be repeated. */
export function collect(value: string, earlier: readonly string[] | undefined): string[] {
  return [...(earlier ?? []), value];
}
