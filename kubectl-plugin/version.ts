import manifest from '../package.json' with { type: 'json' };

/** Prints the version of the plugin. */
export function version(): void {
  process.stdout.write(`Client Version: v${manifest.version}\n`);
}
