import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { before, describe, it } from 'node:test';
import { parse } from 'yaml';
import { mustRun, run, type RunResult } from '../control-plane/run.ts';
import { temporaryFolder } from '../control-plane/processes.ts';
import { buildPlugin } from './plugin.ts';

const DOC = await readFile(path.join(import.meta.dirname, '../../docs/ci.md'), 'utf8');

/** The YAML block below the first words. */
function yamlAfter(words: string): string {
  const block = /```yaml\n(.*?)```/s.exec(DOC.slice(DOC.indexOf(words)))?.[1];
  assert.ok(block !== undefined, words);
  return block;
}

let folder: string;
let environment: NodeJS.ProcessEnv;

before(async () => {
  const plugin = await buildPlugin();
  folder = temporaryFolder('ci');
  for (const file of ['deploy.yaml', 'scans.yaml'])
    await writeFile(`${folder}/${file}`, yamlAfter(`\`${file}\`:`));
  const bin = `${folder}/.bin`;
  await mkdir(bin);
  // What kubectl does with the name of a plugin.
  await writeFile(`${bin}/kubectl`, `#!/bin/sh\nshift\nexec "${plugin.file}" "$@"\n`, { mode: 0o755 });
  environment = {
    PATH: [bin, plugin.folder, path.dirname(process.execPath), process.env['PATH']].join(':'),
    KUBECONFIG: '/dev/null',
    GITHUB_STEP_SUMMARY: `${folder}/summary.md`,
  };
});

const shell = (script: string): Promise<RunResult> =>
  run('bash', ['-e', '-c', `{ ${script}\n} 2>&1`], { cwd: folder, env: environment });

describe('docs/ci.md', () => {
  const sessions = [...DOC.matchAll(/```console\n\$ (kubectl .*)\n([^]*?)```/g)];
  assert.equal(sessions.length, 4);
  for (const [, command = '', output] of sessions) {
    it(`shows what ${command} prints`, async () => {
      assert.equal((await shell(command)).stdout, output);
    });
  }

  it('has steps for GitHub Actions that tell and commit', async () => {
    const step = (words: string): string => parse(yamlAfter(words)).jobs.images.steps[1].run;
    assert.equal((await shell(step('`.github/workflows/images.yaml`'))).code, 2);
    assert.match(await readFile(`${folder}/summary.md`, 'utf8'), /^\| Image \| From/);
    const git = async (...args: string[]): Promise<string> =>
      (await mustRun('git', args, { cwd: folder })).stdout;
    await git('init', '-q', '-b', 'main');
    await git('add', 'deploy.yaml');
    await git('-c', 'user.name=a', '-c', 'user.email=a@example.com', 'commit', '-qm', 'first');
    await git('init', '-q', '--bare', '.remote');
    await git('remote', 'add', 'origin', `${folder}/.remote`);
    await git('push', '-qu', 'origin', 'main');
    for (let turn = 0; turn < 2; turn++) {
      const { code, stdout } = await shell(step('To commit instead'));
      assert.equal(code, 0, stdout);
    }
    assert.equal(await git('log', '--format=%s', 'origin/main'), 'Update images\nfirst\n');
    await git('reset', '-q', '--hard', 'main~1');
  });

  it('has a job for GitLab whose exit code is the one that it allows', async () => {
    const { images } = parse(yamlAfter('`.gitlab-ci.yml`'));
    assert.deepEqual([(await shell(images.script[0])).code], images.allow_failure.exit_codes);
    assert.equal(JSON.parse(await readFile(`${folder}/images.json`, 'utf8')).counts.edits, 1);
  });

  it('names the hook that there is, with flags that it takes', async () => {
    const [{ id, args }] = parse(yamlAfter('`.pre-commit-config.yaml`')).repos[0].hooks;
    const hooks = parse(
      await readFile(path.join(import.meta.dirname, '../../.pre-commit-hooks.yaml'), 'utf8'),
    );
    const [hook] = hooks.filter((candidate: { id: string }) => candidate.id === id);
    assert.equal((await shell(`${hook.entry} ${args.join(' ')} --dry-run`)).code, 2);
  });

  it('has a function for kustomize that runs', async () => {
    const config = parse(yamlAfter('A transformer in'));
    const { exec } = parse(config.metadata.annotations['config.kubernetes.io/function']);
    const items = [parse(yamlAfter('`deploy.yaml`:'))];
    // No registry is asked here: the documented scan is given the status of the other file.
    const functionConfig = { ...config, data: { 'scans.yaml': yamlAfter('`scans.yaml`:') } };
    await writeFile(
      `${folder}/list.json`,
      JSON.stringify({ apiVersion: 'config.kubernetes.io/v1', kind: 'ResourceList', functionConfig, items }),
    );
    const { code, stdout } = await shell(`${exec.path} ${exec.args.join(' ')} < list.json`);
    assert.equal(code, 0, stdout);
    assert.match(
      parse(stdout).items[0].spec.template.spec.containers[1].image,
      /^ghcr\.io\/acme\/web:1\.2\.0@sha256:/,
    );
  });
});
