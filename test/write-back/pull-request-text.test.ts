import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { changeText, imageChanges, summary } from '../../write-back/image-changes.ts';
import { labelsOf } from '../../write-back/image-labels.ts';
import { TemplateError } from '../../write-back/message-template.ts';
import { checkTitle, pullRequestText } from '../../write-back/pull-request-text.ts';
import { sourceLink } from '../../write-back/source-links.ts';
import { DATA, digest, editOf, scanOf } from './edits.ts';

const [OLD, NEW] = ['0123456789abcdef0123456789abcdef01234567', 'fedcba9876543210fedcba9876543210fedcba98'];

describe('the title of a pull request', () => {
  it('names the images as long as they fit into a line', () => {
    assert.equal(pullRequestText(DATA).title, 'Update images: web 1.2.3 → 1.2.4, redis 7.4 → 8.0');
    const edits = Array.from({ length: 3 }, (_, index) =>
      editOf({ scan: scanOf(`example/a-long-name-${index}:2`) }),
    );
    assert.equal(pullRequestText({ ...DATA, edits }).title, 'Update 3 images');
  });

  it('is that of the template, on one line', () => {
    const title = '{{ range .Images }}\n{{ .Name }}{{ end }}\n';
    assert.equal(pullRequestText(DATA, { title }).title, 'example/web redis');
    assert.equal(pullRequestText(DATA, { title: '{{ repeat 300 "x" }}' }).title.length, 255);
    assert.equal(pullRequestText(DATA, { title: ' ' }).title, pullRequestText(DATA).title);
  });

  it('is found to be wrong before there is anything to open', () => {
    assert.throws(
      () => checkTitle('{{ .Tag }}'),
      (error) =>
        error instanceof TemplateError &&
        error.message.startsWith('spec.pullRequest.title, line 1, column 4: '),
    );
    for (const title of ['{{ .GitRepo }}', '', null, undefined]) checkTitle(title);
  });

  it('does without an old version where there was none', () => {
    const edits = [editOf({ form: 'name', before: 'web', after: 'example/web' })];
    assert.equal(summary(imageChanges(edits)), 'Update images: web 1.2.4');
    const [change] = imageChanges([editOf({ form: 'sha', before: digest('0'), after: digest('a') })]);
    assert.equal(change && changeText(change), 'web sha256:000000000000 → sha256:aaaaaaaaaaaa');
  });
});

describe('the body of a pull request', () => {
  it('has the table, who made it, and how to stop it', () => {
    const { body } = pullRequestText(DATA);
    assert.match(body, /^\| Image \|/);
    assert.match(body, /\nMade by Fleetscan for the GitRepo `team\/apps`/);
    assert.match(body, /`spec\.suspend: true`/);
  });

  it('links to what changed in the source', () => {
    const source = 'https://github.com/acme/web';
    const scan = {
      ...scanOf('example/web:1.2.4'),
      history: [
        {
          value: { ...scanOf('example/web:1.2.3').inForce!, digest: digest('9') },
          since: 0,
          cause: 'Scan' as const,
        },
      ],
    };
    const labels = new Map([
      [digest('a'), { source, revision: NEW }],
      [digest('9'), { source, revision: OLD }],
    ]);
    const { body } = pullRequestText({ ...DATA, edits: [editOf({ scan })] }, { labels });
    assert.ok(body.includes(`| \`example/web\` ([changes](${source}/compare/${OLD}...${NEW})) |`), body);
  });

  it('fits the hosts, however much changes', () => {
    const edits = Array.from({ length: 3000 }, (_, index) =>
      editOf({ scan: scanOf(`example/app-${index}:1`) }),
    );
    const { body } = pullRequestText({ ...DATA, edits });
    assert.ok(body.length <= 65_536 && body.length > 60_000);
    assert.match(body, /… and \d+ more\n\nMade by Fleetscan/);
  });
});

describe('a link to the source', () => {
  for (const [source, before, url] of [
    ['https://github.com/acme/web', undefined, `https://github.com/acme/web/commit/${NEW}`],
    [
      'https://github.com/acme/web.git',
      'https://github.com/acme/web/',
      `https://github.com/acme/web/compare/${OLD}...${NEW}`,
    ],
    [
      'https://github.com/acme/web',
      'https://github.com/acme/other',
      `https://github.com/acme/web/commit/${NEW}`,
    ],
    [
      'https://gitlab.com/a/b/c',
      'https://gitlab.com/a/b/c',
      `https://gitlab.com/a/b/c/-/compare/${OLD}...${NEW}`,
    ],
    [
      'https://codeberg.org/a/b',
      'https://codeberg.org/a/b',
      `https://codeberg.org/a/b/compare/${OLD}...${NEW}`,
    ],
    [
      'https://bitbucket.org/a/b',
      'https://bitbucket.org/a/b',
      `https://bitbucket.org/a/b/branches/compare/${NEW}%0D${OLD}`,
    ],
    ['https://bitbucket.org/a/b', undefined, `https://bitbucket.org/a/b/commits/${NEW}`],
  ] as const) {
    it(url, () =>
      assert.equal(
        sourceLink(
          { source, revision: NEW },
          before === undefined ? undefined : { source: before, revision: OLD },
        )?.url,
        url,
      ),
    );
  }

  it('goes to the repository where no commit is named', () => {
    for (const revision of ['', 'main', '../../x', 'abc', undefined])
      assert.deepEqual(
        sourceLink(
          { source: 'https://github.com/acme/web?x=1#y', ...(revision !== undefined && { revision }) },
          undefined,
        ),
        { text: 'source', url: 'https://github.com/acme/web' },
      );
  });

  it('goes to a host of our own, when that is known', () => {
    const source = 'https://git.example.com:8443/a/b';
    assert.equal(sourceLink({ source }, undefined), undefined);
    assert.equal(
      sourceLink({ source }, undefined, new Map([['git.example.com:8443', 'Gitea']]))?.url,
      source,
    );
  });

  for (const source of [
    'http://github.com/acme/web',
    'https://github.com.evil.example/acme/web',
    'https://evil.example/github.com/acme',
    'https://user:pass@github.com/acme/web',
    'https://user@github.com/acme/web',
    'https://github.com@evil.example/acme/web',
    'https://github.com/acme',
    'https://github.com/acme/web)](https:x',
    'https://github.com/acme/we b',
    'https://github.com/acme/web|x',
    'https://github.com/acme/"web',
    'javascript:alert(1)',
    'git@github.com:acme/web',
    'acme/web',
    '',
  ]) {
    it(`is not made of ${source}`, () =>
      assert.equal(sourceLink({ source, revision: NEW }, undefined), undefined));
  }

  it('is plain, whatever the labels say', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), (path, revision) => {
        const link = sourceLink({ source: `https://github.com/a/${path}`, revision }, undefined);
        if (link !== undefined) assert.match(link.url, /^https:\/\/github\.com\/[\w./-]+$/);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('the labels of the images that change', () => {
  it('are asked for by the digests that came and went, and a failure is none', async () => {
    const asked: string[] = [];
    const edits = [
      editOf({
        form: 'digest',
        before: `example/web:1.2.3@${digest('1')}`,
        after: `example/web:1.2.4@${digest('a')}`,
      }),
      editOf({
        scan: scanOf('example/other:2', digest('b')),
        before: 'example/other:1',
        after: 'example/other:2',
      }),
    ];
    const labels = await labelsOf(imageChanges(edits), async (scan, reference) => {
      asked.push(`${scan.name} ${reference.repository}@${reference.digest.slice(0, 8)}`);
      if (scan.name === 'other') throw new Error('no registry');
      return { version: reference.digest.slice(7, 8) };
    });
    assert.deepEqual(asked, [
      'web example/web@sha256:a',
      'web example/web@sha256:1',
      'other example/other@sha256:b',
    ]);
    assert.deepEqual(
      labels,
      new Map([
        [digest('a'), { version: 'a' }],
        [digest('1'), { version: '1' }],
        [digest('b'), {}],
      ]),
    );
  });

  it('are no longer asked for when the signal aborts', async () => {
    const ask = (): Promise<never> => Promise.reject(new Error('aborted'));
    await assert.rejects(
      labelsOf(imageChanges(DATA.edits), ask, AbortSignal.abort(new Error('stop'))),
      /stop/,
    );
  });
});
