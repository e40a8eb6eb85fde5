import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type GitServer, startGitServer } from '../control-plane/git-server.ts';
import { commitOnServer, front, git, gitText, temporaryFolder } from './support.ts';
import { waitFor } from '../wait.ts';
import { writeValue } from './writer.ts';

const WRITER = fileURLToPath(new URL('writer.ts', import.meta.url));
const STEPS = ['open', 'remoteHead', 'fetch', 'files', 'read', 'commit', 'push', 'done'];
// remoteHead, fetch, read and push take two, three, two and two; at one more the run ends before it is killed.
const REQUESTS = 10;
// 32 kills in each round.
const ROUNDS = process.env['SOAK'] ? 7 : 1;

/** What dies: the process alone, while the git that it started goes on; or all, as a container does. */
const DEATHS = ['process', 'container'] as const;

describe('a process killed in the middle of a write', () => {
  let server: GitServer;
  before(async () => {
    server = await startGitServer();
  });
  after(() => server.stop());

  for (const death of DEATHS) {
    test(`leaves all of a commit or none at each step, and the next one completes it (${death})`, async (t) => {
      const { url, directory } = await server.createRepository(death, { f: 'first' });
      const cache = path.join(temporaryFolder(t), 'cache');
      for (const [i, step] of rounds(STEPS).entries()) {
        const writer = startWriter(t, { directory: cache, url, value: `step ${i}` });
        const ended = once(writer, 'close');
        for await (const line of createInterface(writer.stdout!)) if (line === step) kill(writer, death);
        await ended;
        if (step !== 'done') assert.equal(writer.signalCode, 'SIGKILL', step);
        await recovers(directory, { directory: cache, url, value: `step ${i}` });
      }
    });

    test(`does so at each request to the server too (${death})`, async (t) => {
      const { directory } = await server.createRepository(`${death}-requests`, { f: 'first' });
      const cache = path.join(temporaryFolder(t), 'cache');
      const requests = Array.from({ length: REQUESTS }, (_, i) => i + 1);
      for (const [i, killAt] of rounds(requests).entries()) {
        // A blob that the copy lacks, so that reading is a request too.
        commitOnServer(directory, { f: `human ${i}` });
        let seen = 0;
        let writer: ChildProcess | undefined;
        const origin = await front(t, server.url, () => {
          if (++seen === killAt && writer !== undefined) kill(writer, death);
          return 'pass';
        });
        const options = {
          directory: cache,
          url: `${origin}/${death}-requests.git`,
          value: `request ${i}`,
        };
        writer = startWriter(t, options);
        writer.stdout?.resume();
        await once(writer, 'close');
        if (killAt < REQUESTS) assert.equal(writer.signalCode, 'SIGKILL', `request ${killAt}`);
        await recovers(directory, options);
      }
    });
  }
});

function rounds<T>(items: readonly T[]): T[] {
  return Array.from({ length: ROUNDS }, () => items).flat();
}

/** The server is whole, then the same write on the same local copy ends well, and just one commit has come of it all. */
async function recovers(
  directory: string,
  options: { directory: string; url: string; value: string },
): Promise<void> {
  // The server may be at work on the push of one that is dead, and git fsck then sees a part of it.
  await waitFor('the server to be whole', () => git(directory, ['fsck', '--strict']));
  await writeValue(options);
  assert.equal(git(directory, ['show', 'main:f']).toString(), options.value);
  const subjects = gitText(directory, ['log', '--format=%s', 'main']).split('\n');
  assert.equal(subjects.filter((subject) => subject === options.value).length, 1);
}

function startWriter(t: TestContext, options: object): ChildProcess {
  const writer = spawn(process.execPath, [WRITER, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => writer.kill('SIGKILL'));
  return writer;
}

function kill(writer: ChildProcess, death: (typeof DEATHS)[number]): void {
  const others = death === 'container' ? descendants(writer.pid!) : [];
  writer.kill('SIGKILL');
  for (const pid of others) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
}

function descendants(root: number): number[] {
  const table = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const found = [root];
  for (const parent of found) for (const [pid, ppid] of table) if (ppid === parent) found.push(pid!);
  return found.slice(1);
}
