import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createAuthority } from '../../control-plane/certificates.ts';
import { gitText } from '../../git/support.ts';
import { startTlsProxy } from '../../control-plane/tls-proxy.ts';
import { fleetCondition, fleetMessage } from '../objects.ts';
import type { FleetWorld } from './world.ts';

/** The tests about commits. */
export function commits(world: () => FleetWorld): void {
  describe("where Fleet's commit was empty of data, lost, or refused", { concurrency: 4 }, () => {
    const text = (namespace: string, tag: string): string =>
      `image: ${world().image(namespace)}:${tag} # {"$imagescan": "web"}\n`;

    /** A team with 1.1.0 in its registry and a file that says 1.0.0 in its repository. @returns where that lies */
    async function behind(namespace: string, branch = 'main'): Promise<string> {
      await world().team(namespace);
      await world().push(namespace, '1.1.0');
      const files = { 'a.yaml': text(namespace, '1.0.0') };
      return (await world().git.createRepository(namespace, files, branch)).directory;
    }

    it('a message template has the data of each change, and is plain text, of which no comment is lost', async () => {
      const namespace = 'message';
      await behind(namespace);
      const messageTemplate =
        'chore: {{range .Changes}}{{.File}}:{{.Line}} {{.TagName}} {{.OldTag}} -> {{.NewTag}}{{end}} <!-- bot --> & co';
      await world().apply(
        world().apps(namespace, { imageScanCommit: { messageTemplate } }),
        world().web(namespace),
      );
      await world().untilFile(namespace, 'a.yaml', text(namespace, '1.1.0'));
      const [commit] = await world().git.log(namespace);
      assert.equal(commit?.message, 'chore: a.yaml:1 web 1.0.0 -> 1.1.0 <!-- bot --> & co');
    });

    it('a message template that fails is told with its place, nothing is pushed, and mending it is enough', async () => {
      const namespace = 'template';
      await behind(namespace);
      const head = await world().git.head(namespace);
      const withTemplate = (messageTemplate: string) =>
        world().apps(namespace, { imageScanCommit: { messageTemplate } });
      await world().apply(withTemplate('{{range .Updated}}'), world().web(namespace));
      const message = fleetMessage(await world().untilSynced(namespace, 'False Error'), 'ImageSynced');
      assert.match(message, /^InvalidTemplate: spec\.imageScanCommit\.messageTemplate, line 1, column 3: /);
      assert.equal(await world().git.head(namespace), head);
      await world().apply(withTemplate('chore: images'));
      await world().untilFile(namespace, 'a.yaml', text(namespace, '1.1.0'));
      assert.deepEqual(
        (await world().git.log(namespace)).map((each) => each.message),
        ['chore: images', 'Initial commit'],
      );
      await world().untilSynced(namespace, 'True');
    });

    it('a push that somebody was faster than is made again at once on top of theirs, not an interval later', async () => {
      const namespace = 'race';
      const directory = await behind(namespace);
      gitText(directory, ['branch', 'theirs', 'main']);
      const theirs = await world().git.commit(namespace, { 'README.md': 'Theirs\n' }, 'theirs');
      await beforePush(
        directory,
        `[ -e raced ] && exit 0
touch raced
unset GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES
git update-ref refs/heads/main ${theirs}`,
      );
      await world().apply(world().apps(namespace), world().web(namespace));
      await world().untilFile(namespace, 'a.yaml', text(namespace, '1.1.0'));
      const [ours, parent] = await world().git.log(namespace);
      assert.equal(parent?.id, theirs);
      assert.equal(ours?.message, 'Update from image update automation');
      assert.equal(await world().git.readFile(namespace, 'README.md'), 'Theirs\n');
      const repo = await world().untilSynced(namespace, 'True');
      assert.equal(fleetCondition(repo, 'Stalled'), undefined, 'no try of it failed');
    });

    it('a GitRepo without a branch is written to the default branch of Fleet', async () => {
      const namespace = 'branchless';
      await behind(namespace, 'master');
      await world().apply(world().apps(namespace, { branch: null }), world().web(namespace));
      await world().untilSynced(namespace, 'True');
      assert.equal(await world().git.readFile(namespace, 'a.yaml', 'master'), text(namespace, '1.1.0'));
      assert.equal((await world().git.log(namespace, 'master')).length, 2);
    });

    it('a Git server of a private CA is trusted by caBundle, or unverified by insecureSkipTLSVerify, as in deploying', async (t) => {
      const company = await createAuthority('company');
      const upstream = new URL(world().git.url).host;
      const proxy = await startTlsProxy(upstream, await company.issueServer([], ['127.0.0.1']));
      t.after(() => proxy.stop());
      const caBundle = Buffer.from(company.certificate).toString('base64');
      const specs = { bundled: { caBundle }, unverified: { insecureSkipTLSVerify: true }, untrusted: {} };
      for (const [namespace, spec] of Object.entries(specs)) {
        await behind(namespace);
        const repo = `https://${proxy.host}/${namespace}.git`;
        await world().apply(world().apps(namespace, { repo, ...spec }), world().web(namespace));
      }
      for (const namespace of ['bundled', 'unverified'])
        await world().untilFile(namespace, 'a.yaml', text(namespace, '1.1.0'));
      const message = fleetMessage(await world().untilSynced('untrusted', 'False Error'), 'ImageSynced');
      assert.match(message, /^TLS/);
    });
  });
}

/** Has the server do something before it takes a push. */
async function beforePush(directory: string, script: string): Promise<void> {
  const path = join(directory, 'hooks', 'pre-receive');
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
}
