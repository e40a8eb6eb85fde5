import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { authorizationFor, secretsOf } from '../../../git/hosts/credential.ts';
import { failureOf, wordsOf } from '../../../git/hosts/failure.ts';
import type { HostCredential, HostErrorCode } from '../../../git/hosts/host.ts';
import type { HostProduct } from '../../../git/hosts/location.ts';

type Headers = Readonly<Record<string, string>>;
const soon = (ms: number): string => String(Math.ceil((Date.now() + ms) / 1000));

const ANSWERS: readonly (readonly [string, number, Headers, string, HostErrorCode, number?])[] = [
  [
    'GitHub, nothing left',
    403,
    { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': soon(60_000) },
    '',
    'RateLimited',
    60_000,
  ],
  ['GitHub, secondary limit', 403, { 'retry-after': '30' }, '', 'RateLimited', 30_000],
  [
    'GitHub, secondary limit by its words',
    403,
    {},
    'You have exceeded a secondary rate limit.',
    'RateLimited',
  ],
  ['GitHub, not allowed', 403, { 'x-ratelimit-remaining': '59' }, 'Resource not accessible', 'Unauthorized'],
  ['GitLab', 429, { 'ratelimit-remaining': '0', 'ratelimit-reset': soon(20_000) }, '', 'RateLimited', 20_000],
  ['GitLab, Retry-After', 429, { 'retry-after': '9' }, 'Retry later', 'RateLimited', 9_000],
  ['any, without a time', 429, {}, '', 'RateLimited'],
  ['expired', 401, {}, 'Bad credentials', 'Unauthorized'],
  ['conflict', 409, {}, 'exists', 'Rejected'],
  ['archived', 423, {}, 'archived', 'Rejected'],
  ['slow', 408, {}, '', 'Unreachable'],
  ['broken', 500, {}, '', 'Unreachable'],
  ['not modified', 304, {}, '', 'InvalidAnswer'],
];

describe('what an answer means', () => {
  for (const [name, status, headers, words, code, pauseMs] of ANSWERS) {
    test(`${name}: ${status}`, () => {
      const failure = failureOf({ status, headers, body: Buffer.alloc(0) }, 'h.example', 'to do', words);
      assert.equal(failure.code, code);
      assert.ok(failure.message.includes(words));
      if (pauseMs === undefined) assert.equal(failure.retryAfterMs, undefined);
      else assert.ok(Math.abs((failure.retryAfterMs ?? 0) - pauseMs) < 5_000, String(failure.retryAfterMs));
    });
  }
});

describe("the host's words", () => {
  const samples: readonly (readonly [unknown, string])[] = [
    [{ message: 'Bad credentials', documentation_url: 'https://x' }, 'Bad credentials'],
    [
      { message: 'Validation Failed', errors: [{ message: 'A pull request already exists for a:b.' }] },
      'Validation Failed; A pull request already exists for a:b.',
    ],
    [{ message: ['Another open merge request already exists'] }, 'Another open merge request already exists'],
    [{ message: { title: ['is too long'], base: ['is invalid'] } }, 'title is too long; base is invalid'],
    [{ error: 'title is missing' }, 'title is missing'],
    [
      {
        type: 'error',
        error: { message: 'Bad request', fields: { reviewers: ['Malformed reviewers list'] } },
      },
      'Bad request; reviewers Malformed reviewers list',
    ],
    [
      {
        errors: [
          { context: null, message: 'No', reviewerErrors: [{ context: 'x', message: 'x is not a user.' }] },
        ],
      },
      'No; x is not a user.',
    ],
    ['<html>', ''],
    [undefined, ''],
  ];
  for (const [body, words] of samples) {
    test(JSON.stringify(body) ?? 'nothing', () => assert.equal(wordsOf(body), words));
  }

  test('are one bounded line, whatever the host sends', () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ maxDepth: 8 }),
        fc.string({ minLength: 400, unit: 'binary' }),
        (value, text) => {
          for (const words of [wordsOf(value), wordsOf({ message: text, errors: value })]) {
            assert.ok(words.length <= 300);
            assert.doesNotMatch(words, /\p{Cc}/u);
          }
        },
      ),
    );
  });
});

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
const USER = { username: 'ann', password: 'p' };
const HEADERS: readonly (readonly [HostProduct, HostCredential, string])[] = [
  ['GitHub', { token: 't' }, 'Bearer t'],
  ['GitHub', { username: 'x-access-token', password: 't' }, 'Bearer t'],
  ['GitLab', { token: 't' }, 'Bearer t'],
  ['GitLab', { username: 'oauth2', password: 't' }, 'Bearer t'],
  ['Gitea', { token: 't' }, 'token t'],
  ['Gitea', USER, basic('ann:p')],
  ['BitbucketCloud', { token: 't' }, 'Bearer t'],
  ['BitbucketCloud', { username: 'x-token-auth', password: 't' }, 'Bearer t'],
  ['BitbucketCloud', { username: 'ann@example.com', password: 't' }, basic('ann@example.com:t')],
  ['BitbucketDataCenter', { token: 't' }, 'Bearer t'],
  ['BitbucketDataCenter', USER, basic('ann:p')],
];

describe('the Authorization header', () => {
  for (const [product, credential, header] of HEADERS) {
    test(`${product}: ${Object.keys(credential).join(' and ')} gives ${header}`, () => {
      assert.equal(authorizationFor(product, credential), header);
    });
  }

  test('and the secrets in it', () => {
    assert.deepEqual(secretsOf(basic('ann:p'), USER), [basic('ann:p').slice(6), 'p']);
    assert.deepEqual(secretsOf('Bearer ', { token: '' }), []);
  });
});
