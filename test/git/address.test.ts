import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { type Address, checkBranch, hostOf, parseAddress } from '../../git/address.ts';
import { AddressError } from '../../git/errors.ts';

test('a URL may be http or https', () => {
  assert.deepEqual(parseAddress('https://git.example.org/team/app.git'), {
    kind: 'http',
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
    'git:app.git',
    'host:app.git',
    'git+ssh://git@host/app.git',
    'ssh://git:s3cret@host/app.git',
    'ssh://host',
    'ssh://host/',
    'ssh:///app.git',
    'ssh://-oProxyCommand=sh/app.git',
    'ssh://-l@host/app.git',
    'ssh://a%20b@host/app.git',
    'ssh://host/app?s3cret',
    'ssh://host:99999/app',
    'ssh://[::1%25eth0]/app',
    'git@-oProxyCommand=sh:app.git',
    '-git@host:app.git',
    'git@host:-app.git',
    'git@host:',
    'git@host:a\nb',
    'git@ho st:app.git',
    'git@$(sh):app.git',
    'git@[fe80::1%eth0]:app.git',
    'git@[host]:app.git',
    'a@ext::sh -c x',
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
    kind: 'http',
    url,
    credential: { username: 'me', password: 'p@ss' },
  });
  const given = { username: 'robot', password: 'token' };
  assert.deepEqual(parseAddress('https://me@host.example/app.git', given), {
    kind: 'http',
    url,
    credential: given,
  });
});

const key = { privateKey: 'a key\n', knownHosts: '' };

test('SSH is spoken to the user in the URL, or to git', () => {
  const cases: [text: string, address: Omit<Extract<Address, { kind: 'ssh' }>, 'kind' | 'key'>][] = [
    ['ssh://git@host/app.git', { url: 'ssh://git@host/app.git', host: 'host' }],
    ['ssh://host.example/a/b', { url: 'ssh://git@host.example/a/b', host: 'host.example' }],
    ['SSH://me@host:2222/~/b', { url: 'ssh://me@host:2222/~/b', host: 'host', port: 2222 }],
    ['ssh://[::1]:22/app', { url: 'ssh://git@[::1]:22/app', host: '::1', port: 22 }],
    ['git@host:team/app.git', { url: 'git@host:team/app.git', host: 'host' }],
    ['org-1@vs-ssh.example:v3/a b', { url: 'org-1@vs-ssh.example:v3/a b', host: 'vs-ssh.example' }],
    ['git@host:/srv/app:1', { url: 'git@host:/srv/app:1', host: 'host' }],
    ['git@[::1]:app', { url: 'git@[::1]:app', host: '::1' }],
  ];
  for (const [text, address] of cases) {
    assert.deepEqual(parseAddress(text, key), { kind: 'ssh', ...address, key }, text);
  }
});

test('work is spread by the host of a URL', () => {
  assert.equal(hostOf('git@host.example:team/app'), 'host.example');
  assert.equal(hostOf('ssh://git@host.example:22/app'), 'host.example');
  assert.equal(hostOf('https://host.example:8443/app'), 'host.example:8443');
  for (const refused of ['', 'app', 'git@-x:app', 'ssh://host']) assert.equal(hostOf(refused), '');
});

test('SSH needs a key, and HTTP takes none', () => {
  const wrong = (text: string, credential: Parameters<typeof parseAddress>[1], message: RegExp): void =>
    assert.throws(
      () => parseAddress(text, credential),
      (error) =>
        error instanceof AddressError && error.code === 'WrongCredential' && message.test(error.message),
    );
  wrong('git@host:app.git', undefined, /SSH and needs a private key; there is no Secret/);
  wrong('ssh://host/app.git', { username: 'me', password: 'x' }, /SSH .* holds a password/);
  wrong('https://host/app.git', key, /HTTP .* holds an SSH key/);
});

test('of whatever text, no part of an address can be an option of ssh', () => {
  const piece = fc.constantFrom(
    'ssh://',
    'git',
    '@',
    '-o',
    'x',
    ':',
    '/',
    '[',
    ']',
    '%2d',
    '%',
    ' ',
    '\n',
    '..',
    '2',
  );
  const texts = fc.oneof(
    fc.array(piece, { maxLength: 9 }).map((parts) => parts.join('')),
    fc.string({ unit: 'binary', maxLength: 20 }).map((text) => `ssh://${text}`),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const address = addressOf(text);
      if (address === undefined) return;
      assert.match(address.host, /^[\w][\w.-]*$|^[0-9a-f:.]+$/i);
      assert.match(address.url, /^(?:ssh:\/\/)?\w[\w.+-]*@/);
      // What git reads from the URL is what we have judged.
      assert.deepEqual(parseAddress(address.url, key), address);
    }),
  );
});

function addressOf(text: string): Extract<Address, { kind: 'ssh' }> | undefined {
  try {
    const address = parseAddress(text, key);
    return address.kind === 'ssh' ? address : undefined;
  } catch (error) {
    assert.ok(error instanceof AddressError);
    return undefined;
  }
}

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
