import assert from 'node:assert/strict';
import { constants } from 'node:fs';
import { access, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Bundle, buildBundle, bundle, licencesOf, type ProgramName } from '../build.ts';
import { run, type RunResult } from './control-plane/run.ts';

const ROOT = path.dirname(import.meta.dirname);

describe('build', () => {
  let folder: string;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'fleetscan-build-'));
    await symlink(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
  });
  after(() => rm(folder, { recursive: true }));

  async function source(name: string, code: string): Promise<string> {
    const file = path.join(folder, name);
    await writeFile(file, code);
    return file;
  }

  describe('of a command', () => {
    let written: Bundle;
    let elsewhere: string;

    // As an installation has it: no package.json near, and a link in a folder of the PATH.
    before(async () => {
      await source('verb.ts', `import { valid } from 'semver'; export const answer = valid('1.2.3');`);
      const entry = await source(
        'command.ts',
        `#!/usr/bin/env node
        import { Command } from 'commander';
        const command = new Command('greet');
        command.command('version').action(() => console.log('0.1.0'));
        command.command('work').action(async () => console.log((await import('./verb.ts')).answer));
        await command.parseAsync();`,
      );
      written = await bundle({ kind: 'command', name: 'greet', entry }, path.join(folder, 'command'));
      elsewhere = path.join(folder, 'bin', 'greet');
      await mkdir(path.dirname(elsewhere));
      await symlink(path.join(folder, 'command', 'greet'), elsewhere);
    });

    it('runs by its name, and a verb finds its chunk', async () => {
      await access(elsewhere, constants.X_OK);
      assert.deepEqual(await run(elsewhere, ['work']), { code: 0, stdout: '1.2.3\n', stderr: '' });
    });

    it('starts without what other verbs need', async () => {
      const alone = path.join(folder, 'alone');
      await cp(path.join(folder, 'command'), alone, { recursive: true });
      const verb = written.files.find(({ name }) => name.startsWith('chunks/verb'));
      await rm(path.join(alone, verb!.name));
      const command = path.join(alone, 'greet');
      assert.deepEqual(await run(command, ['version']), { code: 0, stdout: '0.1.0\n', stderr: '' });
      assert.notEqual((await run(command, ['work'])).code, 0);
    });
  });

  it('makes a server one file, in which packages in CommonJS find the modules of Node', async () => {
    const entry = await source(
      'server.ts',
      `import express from 'express'; import pino from 'pino'; import { createRequire } from 'node:module';
      pino().info({ app: typeof express(), require: typeof createRequire }, 'up');`,
    );
    const outdir = path.join(folder, 'server');
    const { files } = await bundle({ kind: 'server', name: 'serve', entry }, outdir);
    assert.deepEqual(
      files.map((file) => file.name),
      ['serve.js'],
    );
    const { stdout, stderr } = await run(process.execPath, [path.join(outdir, 'serve.js')], { cwd: '/' });
    assert.equal(stderr, '');
    assert.match(stdout, /"app":"function","require":"function","msg":"up"/);
  });

  it('keeps the licences of what it bundles, once for each package', async () => {
    const entry = await source(
      'licensed.ts',
      `import { parse } from 'yaml'; import { valid } from 'semver'; console.log(parse, valid);`,
    );
    const { packages } = await bundle(
      { kind: 'server', name: 'licensed', entry },
      path.join(folder, 'licensed'),
    );
    const text = await licencesOf([...packages, ...packages]);
    assert.deepEqual(text.match(/^\S+ \d+\.\d+\.\d+ \(.*\)$/gm)?.length, 2);
    assert.match(text, /^semver [\d.]+ \(ISC\)$/m);
    assert.ok(text.includes((await readFile(path.join(ROOT, 'node_modules/yaml/LICENSE'), 'utf8')).trim()));
  });

  const programs = {
    webhook: 'webhook.js',
    reconciler: 'reconciler.js',
    'kubectl-fleetscan': 'kubectl-fleetscan',
  } as const;
  for (const [name, file] of Object.entries(programs) as [ProgramName, string][]) {
    it(`makes ${name} of the sources, no bigger than its packages are`, async () => {
      const outdir = path.join(folder, 'dist');
      const { files } = await buildBundle(name, outdir);
      // An import() of a whole package, in place of a file of ours that names what it takes, adds 15 MB.
      const size = files.reduce((sum, file) => sum + file.size, 0);
      assert.ok(size < 8_000_000, `${size} bytes`);
      const { code, stdout, stderr } = await help(path.join(outdir, file));
      assert.equal(code, 0, stderr);
      assert.match(stdout, /^Usage:/m);
    });
  }
});

/** A bundle must answer from any folder. */
function help(file: string): Promise<RunResult> {
  return run(process.execPath, [file, '--help'], { cwd: '/' });
}
