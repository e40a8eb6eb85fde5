import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { beforeEach, describe, it } from 'node:test';
import { MAX_BLOB } from '../../git/blobs.ts';
import { Checkout } from '../../write-back/checkout.ts';
import { temporaryFolder } from '../control-plane/processes.ts';
import { mustRun } from '../control-plane/run.ts';

const OLD = Buffer.from('image: a:1 # {"$imagescan": "web"}\n');
const NEW = Buffer.from('image: a:2 # {"$imagescan": "web"}\n');

let folder: string;
beforeEach(async () => {
  folder = temporaryFolder('checkout');
  await mkdir(`${folder}/apps`);
  await writeFile(`${folder}/apps/a.yaml`, OLD);
});

async function contentsOf(checkout: Checkout, paths: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for await (const blob of checkout.read(paths))
    found.push('content' in blob ? blob.content.toString() : `${blob.size}`);
  return found;
}

/** The checkout, after it was read. */
async function opened(): Promise<Checkout> {
  const checkout = await Checkout.open(folder);
  assert.deepEqual(await contentsOf(checkout, ['apps/a.yaml']), [OLD.toString()]);
  return checkout;
}

describe('a checkout', () => {
  it('lists regular files in the order of their names, and what else there is', async () => {
    await writeFile(`${folder}/b.yaml`, '');
    await symlink('b.yaml', `${folder}/a.yaml`);
    await mustRun('mkfifo', [`${folder}/pipe.yaml`]);
    await writeFile(
      Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff]), Buffer.from('.yaml')]),
      '',
    );
    const checkout = await Checkout.open(folder);
    const { files, others } = await checkout.list('', []);
    assert.deepEqual(
      files.map(({ path }) => path),
      ['apps/a.yaml', 'b.yaml'],
    );
    assert.deepEqual(others, [
      { path: 'a.yaml', kind: 'symlink' },
      { path: '\uFFFD.yaml', kind: 'nameNotUtf8' },
    ]);
    assert.deepEqual(
      (await checkout.list('', ['app*'])).files.map(({ path }) => path),
      ['apps/a.yaml'],
    );
  });

  it('reads many files in the order asked for; one that is gone is empty, and told of', async () => {
    const names = Array.from({ length: 100 }, (_, index) => `f${index}`);
    await Promise.all(names.map((name) => writeFile(`${folder}/${name}`, name)));
    await rm(`${folder}/f50`);
    const checkout = await Checkout.open(folder);
    assert.deepEqual(
      await contentsOf(checkout, names),
      names.map((name) => (name === 'f50' ? '' : name)),
    );
    assert.deepEqual(
      checkout.unreadable.map(({ path }) => path),
      ['f50'],
    );
  });

  it('does not read a file that is too large', async () => {
    await mustRun('truncate', ['-s', `${MAX_BLOB + 1}`, `${folder}/large.yaml`]);
    assert.deepEqual(await contentsOf(await Checkout.open(folder), ['large.yaml']), [`${MAX_BLOB + 1}`]);
  });

  it('writes a file that is still what was read', async () => {
    const checkout = await opened();
    await checkout.write('apps/a.yaml', NEW);
    assert.deepEqual(await readFile(`${folder}/apps/a.yaml`), NEW);
  });

  const outside = Buffer.from('outside');
  const meanwhile: [what: string, code: string, change: () => Promise<void>][] = [
    ['was changed', 'Changed', async () => writeFile(`${folder}/apps/a.yaml`, outside)],
    ['was deleted', 'Changed', async () => rm(`${folder}/apps/a.yaml`)],
    [
      'became a symbolic link',
      'SymbolicLink',
      async () => {
        await writeFile(`${folder}/other`, OLD);
        await rm(`${folder}/apps/a.yaml`);
        await symlink('../other', `${folder}/apps/a.yaml`);
      },
    ],
    [
      'came to lie behind one',
      'SymbolicLink',
      async () => {
        await rename(`${folder}/apps`, `${folder}/other`);
        await symlink('other', `${folder}/apps`);
      },
    ],
    [
      'became a folder',
      'Changed',
      async () => {
        await rm(`${folder}/apps/a.yaml`);
        await mkdir(`${folder}/apps/a.yaml`);
      },
    ],
  ];
  for (const [what, code, change] of meanwhile) {
    it(`writes none that ${what} meanwhile`, async () => {
      const checkout = await opened();
      await change();
      await assert.rejects(checkout.write('apps/a.yaml', NEW), { name: 'ReplaceError', code });
      const names = await readdir(folder, { recursive: true });
      assert.ok(
        names.every((name) => !name.includes('.fleetscan-')),
        'no draft is left',
      );
      const content = await readFile(`${folder}/apps/a.yaml`).catch(() => undefined);
      assert.notDeepEqual(content, NEW);
    });
  }
});
