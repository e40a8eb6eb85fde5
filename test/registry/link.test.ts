import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextPage, nextTarget } from '../../registry/link.ts';

const TARGETS: [header: string | string[] | undefined, want: string | undefined][] = [
  [undefined, undefined],
  ['', undefined],
  ['</v2/a/tags/list?n=1&last=x>; rel="next"', '/v2/a/tags/list?n=1&last=x'],
  ['</v2/a/tags/list?last=x>; rel=next', '/v2/a/tags/list?last=x'],
  ['/v2/a/tags/list?last=x; rel="next"', '/v2/a/tags/list?last=x'],
  ['https://r.io/v2/a/tags/list?last=x;rel=next', 'https://r.io/v2/a/tags/list?last=x'],
  ['<?last=a,b;c>; REL = "Next"', '?last=a,b;c'],
  ['<?last=x>; title="t"; rel="prev next"', '?last=x'],
  ['<?a>; rel="prev", <?b>; rel="next"', '?b'],
  [['<?a>; rel="prev"', '<?b>; rel="next"'], '?b'],
  ['<?a>; rel="prev"', undefined],
  ['<?a>', undefined],
  ['<?a>; rel="nextish"', undefined],
  ['<>; rel="next"', ''],
];
for (const [header, want] of TARGETS) {
  test(`the next page of ${JSON.stringify(header)}`, () => assert.equal(nextTarget(header), want));
}

const LIST = 'https://r.io/v2/acme/app/tags/list';
function next(link: string, answeredBy = `${LIST}?n=1000`): string | undefined {
  const answer = { status: 200, headers: { link }, body: Buffer.of(), url: new URL(answeredBy) };
  return nextPage(new URL(LIST), answer)?.href;
}

test('takes the query of a link and keeps its own path', () => {
  assert.equal(next('</v2/acme/app/tags/list?last=x&n=5>; rel=next'), `${LIST}?last=x&n=5`);
  assert.equal(next('<https://r.io/v2/app/tags/list?last=x>; rel=next'), `${LIST}?last=x`);
  assert.equal(next('<?next_page=abc%3D%3D>; rel=next'), `${LIST}?next_page=abc%3D%3D`);
});

test('follows the link of a host that it was redirected to by asking the registry again', () => {
  const mirror = 'https://mirror.example.com/v2/copy/app/tags/list';
  assert.equal(next('</v2/copy/app/tags/list?last=x>; rel=next', mirror), `${LIST}?last=x`);
});

for (const target of [
  'https://evil.io/v2/x?last=a',
  '//evil.io/?last=a',
  'http://r.io/v2/x?last=a',
  'https://r.io:444/?a',
  'http://[',
]) {
  test(`refuses a list that goes on at ${target}`, () => {
    assert.throws(() => next(`<${target}>; rel=next`), { code: 'InvalidAnswer', message: /r\.io/ });
  });
}

test('takes time in proportion to the length of the header', () => {
  for (const unit of ['<', '<>;', ';rel=', 'a;', '; ', ' ', 'rel="', '<a>;rel="', ',']) {
    const start = performance.now();
    nextTarget(unit.repeat(100_000));
    assert.ok(performance.now() - start < 2_000, unit);
  }
});
