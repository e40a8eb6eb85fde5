import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { git, gitText } from '../../git/support.ts';
import { fleetMessage } from '../objects.ts';
import type { FleetWorld } from './world.ts';

const MARKER = '# {"$imagescan": "web"}';

/** What Fleet's serializer changes beside the image, each by the file that shows it. */
const UNTIDY = (image: string): Readonly<Record<string, string>> => ({
  'licence.yaml': `# Copyright 2026 Example\n# Licensed under MIT\n---\nimage: ${image} ${MARKER}\n...\n`,
  'indent.yaml': `spec:\n    template:\n        image:   ${image}   ${MARKER}\n\n\n    list:\n        - 1\n        -   2\n`,
  'sequences.yaml': `a:\n- image: ${image} ${MARKER}\nb:\n  - 1\n`,
  'crlf.yaml': `a: 1\r\nimage: ${image} ${MARKER}\r\n`,
  'bom.yaml': `\u{FEFF}image: ${image} ${MARKER}\n`,
  'no-newline.yaml': `a: 1\nimage: ${image} ${MARKER}`,
  'comments.yaml': `a: 1        # aligned\nlong: 2     # aligned\n---\n# a document of its own\n---\nimage: ${image} ${MARKER}\n`,
  'flow.yaml': `z: {a:   1,b: 2}\nimage: ${image} ${MARKER}\n`,
  'merge.yaml': `base: &base {a: 1}\nuser:\n  <<: *base\nimage: ${image} ${MARKER}\n`,
  'escapes.yaml': `smile: "\u{1F600} \\u00e9"\nimage: ${image} ${MARKER}\n`,
  'block.yaml': `script: |\n  one  \n  two\nimage: ${image} ${MARKER}\n`,
  'annotations.yaml': `kind: Pod\nmetadata: {name: a, annotations: {}}\nimage: ${image} ${MARKER}\n`,
});

/** The tests about files. */
export function edits(world: () => FleetWorld): void {
  describe("where Fleet's write-back re-wrote, lost or refused files", { concurrency: 4 }, () => {
    /** What the newest commit did to each file, as `path +added -removed`. */
    function changesOf(directory: string): string[] {
      const lines = gitText(directory, ['show', '--format=', '--numstat', 'main']).trim().split('\n');
      return lines.map((line) => line.replace(/^(\d+)\t(\d+)\t(.*)$/, '$3 +$1 -$2'));
    }

    it('a changed file keeps every byte outside the image: licence header, indent, blank lines, CRLF, BOM, comments', async () => {
      const namespace = 'bytes';
      const image = world().image(namespace);
      await world().team(namespace);
      await world().push(namespace, '1.1.0');
      const { directory } = await world().git.createRepository(namespace, UNTIDY(`${image}:1.0.0`));
      await world().apply(world().apps(namespace), world().web(namespace));
      await world().untilSynced(namespace, 'True');
      const wanted = UNTIDY(`${image}:1.1.0`);
      for (const [path, text] of Object.entries(wanted))
        assert.deepEqual(git(directory, ['cat-file', 'blob', `main:${path}`]), Buffer.from(text), path);
      assert.deepEqual(
        changesOf(directory),
        Object.keys(wanted)
          .toSorted()
          .map((path) => `${path} +1 -1`),
      );
    });

    it('the items of a kind: List are updated in their file, and a commit of nothing else succeeds', async () => {
      const namespace = 'list';
      const image = world().image(namespace);
      const pods = (tag: string): string =>
        `apiVersion: v1\nkind: List\nitems:\n- {kind: Pod, metadata: {name: a}}\n- kind: Pod\n  spec:\n    image: ${image}:${tag} ${MARKER}\n`;
      await world().team(namespace);
      await world().push(namespace, '1.1.0');
      const { directory } = await world().git.createRepository(namespace, { 'pods.yaml': pods('1.0.0') });
      await world().apply(world().apps(namespace), world().web(namespace));
      await world().untilFile(namespace, 'pods.yaml', pods('1.1.0'));
      await world().untilSynced(namespace, 'True');
      assert.deepEqual(changesOf(directory), ['pods.yaml +1 -1']);
      assert.equal(gitText(directory, ['ls-tree', '-r', '--name-only', 'main']), 'pods.yaml');
    });

    it('a glob in spec.paths names its folders and files, and one that matches nothing is told', async () => {
      const namespace = 'globs';
      const image = world().image(namespace);
      const text = (tag: string): string => `image: ${image}:${tag} ${MARKER}\n`;
      const files = ['apps/a/web.yaml', 'apps/b/deep/web.yaml', 'charts/web.yaml', 'other/web.yaml'];
      await world().team(namespace);
      await world().push(namespace, '1.1.0');
      const { directory } = await world().git.createRepository(
        namespace,
        Object.fromEntries(files.map((path) => [path, text('1.0.0')])),
      );
      await world().apply(
        world().apps(namespace, { paths: ['apps/*', 'c?arts/*.yaml'] }),
        world().web(namespace),
      );
      await world().untilFile(namespace, 'apps/a/web.yaml', text('1.1.0'));
      await world().untilSynced(namespace, 'True');
      assert.deepEqual(changesOf(directory), [
        'apps/a/web.yaml +1 -1',
        'apps/b/deep/web.yaml +1 -1',
        'charts/web.yaml +1 -1',
      ]);
      assert.equal(await world().git.readFile(namespace, 'other/web.yaml'), text('1.0.0'));
      await world().apply(world().apps(namespace, { paths: ['none/*'] }));
      const message = fleetMessage(await world().untilSynced(namespace, 'False Error'), 'ImageSynced');
      assert.match(message, /^PathMissing: path "none\/\*" matches nothing in the repository/);
    });

    it('every marker and file that is passed over is named in the condition with its place and the reason', async () => {
      const namespace = 'skips';
      const image = world().image(namespace);
      const text = (tag: string): string =>
        `image: ${image}:${tag} ${MARKER}\na: x # {"$imagescan": "web:latest"}\nb: x # {"$imagescan": "none"}\nc: # {"$imagescan": "web"}\n`;
      await world().team(namespace);
      await world().push(namespace, '1.1.0');
      await world().git.createRepository(namespace, {
        'a.yaml': text('1.0.0'),
        'broken.yaml': `a: [ ${MARKER}\n`,
      });
      await world().apply(world().apps(namespace), world().web(namespace));
      await world().untilFile(namespace, 'a.yaml', text('1.1.0'));
      const message = fleetMessage(await world().untilSynced(namespace, 'True SyncedInPart'), 'ImageSynced');
      for (const place of ['a.yaml:2: ', 'a.yaml:3: UnknownScan: ', 'a.yaml:4: ', 'broken.yaml'])
        assert.ok(message.includes(place), `${place} in ${message}`);
    });
  });
}
