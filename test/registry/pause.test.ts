import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wantedPause } from '../../registry/pause.ts';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const GHCR = '{"errors":[{"message":"retry-after: 1.5s, allowed: 44000/minute"}]}';

const PAUSES: [
  what: string,
  status: number,
  headers: Record<string, string>,
  body: string,
  want: number | undefined,
][] = [
  ['seconds', 429, { 'retry-after': '7' }, '', 7_000],
  ['a date', 429, { 'retry-after': 'Thu, 01 Jan 2026 00:01:00 GMT' }, '', 60_000],
  ['a date that has passed', 429, { 'retry-after': 'Wed, 31 Dec 2025 00:00:00 GMT' }, '', 0],
  ['more than six hours', 429, { 'retry-after': '999999' }, '', 21_600_000],
  ['seconds of a 503', 503, { 'retry-after': '120' }, '', 120_000],
  ['the words of GHCR', 429, {}, GHCR, 1_500],
  ['the words of GHCR in milliseconds', 429, {}, 'retry-after: 1.16ms, allowed: 44000/minute', 1.16],
  ['nonsense', 429, { 'retry-after': 'soon' }, '', undefined],
  ['words that are no duration', 429, {}, 'retry-after: 1.1.1s', undefined],
  ['nothing', 429, {}, '', undefined],
  [
    'a limit that resets in seconds',
    429,
    { 'ratelimit-remaining': '0', 'ratelimit-reset': '30' },
    '',
    30_000,
  ],
  ['a limit that resets at a time', 429, { 'x-ratelimit-reset': String(NOW / 1000 + 45) }, '', 45_000],
  [
    'nothing left, of an answer that is good',
    200,
    { 'ratelimit-remaining': '0', 'ratelimit-reset': '30' },
    '',
    30_000,
  ],
  ['something left', 200, { 'ratelimit-remaining': '3', 'ratelimit-reset': '30' }, '', undefined],
  [
    "Docker Hub's last pull, of an answer that is good",
    200,
    { 'ratelimit-remaining': '0;w=21600' },
    '',
    undefined,
  ],
  [
    "Docker Hub's limit",
    429,
    { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '0;w=21600' },
    '',
    216_000,
  ],
  ['an answer that is good, in the words of GHCR', 200, {}, GHCR, undefined],
];
for (const [what, status, headers, body, want] of PAUSES) {
  test(`reads the pause that an answer asks for: ${what}`, () => {
    assert.equal(wantedPause({ status, headers, body: Buffer.from(body) }, NOW), want);
  });
}
