import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run } from '../control-plane/run.ts';

const MAIN = fileURLToPath(new URL('demo/main.ts', import.meta.url));

test('the demo reaches its end, and says what it did', async () => {
  const { code, stdout, stderr } = await run(process.execPath, [MAIN]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /web 1\.1\.0 -> 1\.2\.0/);
  assert.match(stdout, /\n {4}\+ +image: .*:1\.2\.0 # \{"\$imagescan": "web"\}\n/);
  assert.match(stdout, /All as it should be\.\n$/);
});
