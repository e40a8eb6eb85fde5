import { BinariesError, binaries } from './binaries.ts';
import { sshdProgram } from './sshd-program.ts';
import { BENCH, type BinaryName } from './versions.ts';

/** Gets all programs of the tests ahead of time, so that the first test does not wait for them in silence. */
await binaries(BENCH);
await sshdProgram();
await prepareOptional('Gitea', ['gitea'], 'on its fake');
await prepareOptional('Fleet', ['fleetcontroller', 'fleet'], 'on objects as Fleet writes them');

async function prepareOptional(what: string, names: readonly BinaryName[], others: string): Promise<void> {
  try {
    await binaries(names);
  } catch (error) {
    if (!(error instanceof BinariesError)) throw error;
    process.stderr.write(
      `${error.message}\nThe tests on a real ${what} are skipped; those ${others} are not.\n`,
    );
  }
}
