import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { runPolicy } from './policy.ts';

const CASES = join(import.meta.dirname, 'cases');
const FLEET = join(CASES, 'policy-fleet.json');
const RANGES = join(CASES, 'semver-policy.jsonl');

const failures = (content: string) => runPolicy(content).filter(({ failure }) => failure !== undefined);

describe('policy cases', () => {
  for (const [file, count] of [
    [FLEET, 28],
    [RANGES, 1000],
  ] as const) {
    it(`all of ${file.slice(CASES.length + 1)} pass`, () => {
      const content = readFileSync(file, 'utf8');
      assert.equal(runPolicy(content).length, count);
      assert.deepEqual(failures(content), []);
    });
  }

  const wrong: [content: string, name: string, came: string][] = [
    ['{"range":"*","tags":["1","2"],"want":"1"}', 'line 1', '{"want":"2"}'],
    ['\n{"range":"*","tags":["1"],"want":null,"error":"no match"}', 'line 2', '{"want":"1"}'],
    [
      '{"range":"","tags":["1"],"want":null,"error":"no match"}',
      'line 1',
      '{"want":null,"error":"invalid range"}',
    ],
    ['{"range":"2","tags":["1"],"want":"1"}', 'line 1', '{"want":null,"error":"no match"}'],
    [
      '{"cases":[{"name":"n","policy":{},"tags":["1","2"],"latest":"1","error":null}]}',
      'n',
      '{"latest":"2"}',
    ],
    [
      '{"cases":[{"name":"n","policy":{},"tags":[],"latest":null,"error":"no tag"}]}',
      'n',
      '{"latest":null,"error":"no tag found"}',
    ],
  ];
  it('may have filters, and any policy that goes by names', () => {
    const cases = [
      {
        name: 'filter',
        filterTags: { pattern: '^v(.*)-a$', extract: '$1' },
        tags: ['v1.0.0-a', '2.0.0'],
        latest: 'v1.0.0-a',
      },
      { name: 'null', filterTags: null, exclude: null, policy: null, tags: ['1.0.0'], latest: '1.0.0' },
      { name: 'exclude', exclude: ['^2'], tags: ['1.0.0', '2.0.0'], latest: '1.0.0' },
      { name: 'numerical', policy: { numerical: { order: 'desc' } }, tags: ['10', '9'], latest: '9' },
      { name: 'digest', policy: { digest: { tag: 'main' } }, tags: null, latest: 'main' },
      { name: 'none', exclude: ['.'], tags: ['1'], error: 'no available version matching *' },
    ];
    assert.deepEqual(failures(JSON.stringify({ cases })), []);
  });

  for (const [content, name, came] of wrong) {
    it(`fails ${content.trim()}`, () => {
      const [failed, ...more] = failures(content);
      assert.deepEqual(more, []);
      assert.equal(failed?.name, name);
      assert.equal(failed?.failure?.split('came   ').at(-1), came);
    });
  }

  it('names the line that is no case', () => {
    assert.throws(
      () => runPolicy('{"range":"*","tags":[],"want":null}\nnonsense'),
      /line 2 is not JSON: nonsense/,
    );
    assert.throws(() => runPolicy('{"range":"*","want":null}'), /line 1 is no policy case:[^]*tags/);
    assert.throws(() => runPolicy('{"cases":[{"name":"n"}]}'), /case 1 is no policy case:[^]*tags/);
  });
});

describe('npm run conformance', () => {
  const folder = mkdtempSync(join(tmpdir(), 'conformance-'));
  after(() => rmSync(folder, { recursive: true }));
  const run = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(import.meta.dirname, 'main.ts'), ...args],
      {
        encoding: 'utf8',
      },
    );
    return { status, stdout, stderr };
  };
  const written = (content: string) => {
    const file = join(folder, 'cases');
    writeFileSync(file, content);
    return file;
  };

  it('ends with the counts', () => {
    assert.deepEqual(run('policy', FLEET), { status: 0, stdout: '28 passed, 0 failed\n', stderr: '' });
  });

  it('prints failures and exits with 1', () => {
    const right = '{"range":"*","tags":["1"],"want":"1"}\n';
    const { status, stdout } = run('policy', written(`${right}{"range":"*","tags":["1"],"want":"2"}\n`));
    assert.equal(status, 1);
    assert.match(stdout, /^FAILED line 2: /);
    assert.match(stdout, /\n1 passed, 1 failed\n$/);
  });

  it('exits with 2 when there is nothing to run', () => {
    assert.deepEqual(run('policy').status, 2);
    assert.match(run('polic', FLEET).stderr, /^usage: /);
    assert.match(run('policy', FLEET, RANGES).stderr, /^usage: /);
    const absent = run('policy', join(folder, 'absent'));
    assert.equal(absent.status, 2);
    assert.match(absent.stderr, /absent: ENOENT/);
    const empty = run('policy', written(''));
    assert.equal(empty.status, 2);
    assert.match(empty.stderr, /holds no cases/);
  });
});
