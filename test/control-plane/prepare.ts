import { BinariesError, binaries } from './binaries.ts';
import { sshdProgram } from './sshd-program.ts';
import { BENCH } from './versions.ts';

/** Gets all programs of the tests ahead of time, so that the first test does not wait for them in silence. */
await binaries(BENCH);
await sshdProgram();
try {
  await binaries(['gitea']);
} catch (error) {
  if (!(error instanceof BinariesError)) throw error;
  process.stderr.write(
    `${error.message}\nThe tests on a real Gitea are skipped; those on its fake are not.\n`,
  );
}
