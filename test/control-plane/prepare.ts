import { noGitea } from './gitea.ts';
import { binaries } from './binaries.ts';
import { BENCH } from './versions.ts';

/** Gets all programs of the tests ahead of time, so that the first test does not wait for them in silence. */
await binaries(BENCH);
const reason = await noGitea();
if (reason !== false) {
  process.stderr.write(`${reason}\nThe tests against a real Gitea are skipped; its fake stands in for it.\n`);
}
