// Makes a fresh clone ready for the npm script that follows: installs the locked packages when they are missing or older
// than the lock file. Plain JavaScript, because it runs on whatever Node the machine has; all later steps run on the Node
// that the lock file brings. Writes to stderr only, so that a script's own output stays clean.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import path from 'node:path';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const stamp = path.join(root, 'node_modules', '.installed-from');
const wanted = createHash('sha256')
  .update(readFileSync(path.join(root, 'package-lock.json')))
  .digest('hex');

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
  process.stderr.write('Installing the packages of package-lock.json …\n');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  // Not `npm ci`: it refuses a lock file without the binaries of every platform, and not every mirror of the registry
  // carries all of them. This installs just what the lock file says, checks it by the same hashes, and writes nothing back.
  const { status } = spawnSync(
    npm,
    ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error', '--ignore-scripts'],
    {
      cwd: root,
      stdio: ['ignore', process.stderr, process.stderr],
    },
  );
  if (status !== 0) {
    process.stderr.write('npm install failed: see the lines above. Is the npm registry reachable?\n');
    process.exit(status ?? 1);
  }
  writeFileSync(stamp, wanted);
}
