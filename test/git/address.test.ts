import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { checkBranch, parseAddress } from '../../git/address.ts';
import { AddressError } from '../../git/errors.ts';

test('a URL may be http or https', () => {
  assert.deepEqual(parseAddress('https://git.example.org/team/app.git'), {
    url: 'https://git.example.org/team/app.git',
  });
  assert.equal(parseAddress('http://localhost:3000/a b').url, 'http://localhost:3000/a%20b');
});

test('what is no such URL is refused, without repeating a password in it', () => {
  const refused = [
    '',
    'app',
    '/srv/git/app.git',
    '-oProxyCommand=sh',
    '--upload-pack=sh',
    'ext::sh -c touch% /tmp/x',
    'file:///srv/git/app.git',
    'ssh://git@host/app.git',
    'git@host:app.git',
    'http://',
    'https://user:s3cret@host:port/app',
    'https://user:%s3cret@host/app',
  ];
  for (const text of refused) {
    assert.throws(
      () => parseAddress(text),
      (error) =>
        error instanceof AddressError && error.code === 'InvalidURL' && !error.message.includes('s3cret'),
      text,
    );
  }
});

test('a credential in the URL is taken out of it, and one that is given comes first', () => {
  const url = 'https://host.example/app.git';
  assert.deepEqual(parseAddress('https://me:p%40ss@host.example/app.git'), {
    url,
    credential: { username: 'me', password: 'p@ss' },
  });
  const given = { username: 'robot', password: 'token' };
  assert.deepEqual(parseAddress('https://me@host.example/app.git', given), { url, credential: given });
});

test('branch names are judged as git check-ref-format judges them', () => {
  const piece = fc.constantFrom(
    'a',
    'ü',
    '.',
    '..',
    '/',
    '//',
    '@',
    '@{',
    '.lock',
    '-',
    ' ',
    '~',
    '*',
    '\\',
    '\x7f',
    '\t',
    '[',
    ':',
  );
  const names = fc.array(piece, { minLength: 1, maxLength: 5 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(names, (name) => {
      const { status } = spawnSync('git', ['check-ref-format', `refs/heads/${name}`]);
      assert.equal(accepts(name), status === 0 && !name.startsWith('-'), JSON.stringify(name));
    }),
    { numRuns: 300 },
  );
  assert.equal(accepts(''), false);
});

function accepts(name: string): boolean {
  try {
    checkBranch(name);
    return true;
  } catch (error) {
    assert.ok(error instanceof AddressError && error.code === 'InvalidBranch');
    return false;
  }
}
