import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Dialect } from '../fakes/registry.ts';
import { REGISTRIES } from '../fakes/registries.ts';
import { ALICE, ANONYMOUS, startBench, tagNames } from './harness.ts';

const TAGS = tagNames(30);

for (const [name, dialect] of Object.entries<Partial<Dialect>>(REGISTRIES)) {
  describe(name, () => {
    it('gives all tags, the digest and what it names to who may see them', async () => {
      await using bench = await startBench({ ...dialect, users: { [ALICE.username]: ALICE.password } });
      const digests = TAGS.map((tag) => bench.registry.push('acme/app', tag));
      const access = { credentials: [ALICE] };
      assert.deepEqual(await bench.list(access), TAGS);
      const { digest } = await bench.client.resolve(bench.image('1.0.7'), access);
      assert.equal(digest, digests[7]);
      assert.deepEqual(await bench.client.describe({ ...bench.image(), digest }, access), { kind: 'image' });
      assert.ok(bench.registry.seen(/token/).length <= 1, 'with one token');
    });

    it('gives the list also when the digest was asked for first, with a token for that alone', async () => {
      await using bench = await startBench({ ...dialect, users: { [ALICE.username]: ALICE.password } });
      bench.registry.push('acme/app', '1.0');
      const access = { credentials: [ALICE] };
      await bench.resolve(access);
      assert.deepEqual(await bench.list(access), ['1.0']);
    });

    it('has an empty list for a repository without tags', async () => {
      await using bench = await startBench({ ...dialect, auth: 'None' });
      bench.registry.makeEmpty('acme/app');
      assert.deepEqual(await bench.list(), []);
    });

    if (dialect.anonymousPull)
      it('lets everybody in', async () => {
        await using bench = await startBench(dialect);
        bench.registry.push('acme/app', '1.0');
        assert.deepEqual(await bench.list(ANONYMOUS), ['1.0']);
      });
  });
}
