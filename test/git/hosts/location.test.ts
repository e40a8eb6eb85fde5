import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { AddressError } from '../../../git/errors.ts';
import type { HostProvider } from '../../../git/hosts/host.ts';
import { locate } from '../../../git/hosts/location.ts';

type Row = readonly [provider: HostProvider, repository: string, api: string, path: string, given?: string];

const ROWS: readonly Row[] = [
  ['GitHub', 'https://github.com/acme/app', 'https://api.github.com', 'acme/app'],
  ['GitHub', 'https://github.com/acme/app.git/', 'https://api.github.com', 'acme/app'],
  ['GitHub', 'https://user:pass@GitHub.com/acme/app.git', 'https://api.github.com', 'acme/app'],
  ['GitHub', 'git@github.com:acme/app.git', 'https://api.github.com', 'acme/app'],
  ['GitHub', 'ssh://git@ssh.github.com:443/acme/app.git', 'https://api.github.com', 'acme/app'],
  ['GitHub', 'https://acme.ghe.com/acme/app', 'https://api.acme.ghe.com', 'acme/app'],
  ['GitHub', 'git@acme.ghe.com:acme/app.git', 'https://api.acme.ghe.com', 'acme/app'],
  ['GitHub', 'https://ghes.example:8443/acme/app', 'https://ghes.example:8443/api/v3', 'acme/app'],
  ['GitHub', 'ssh://git@ghes.example:122/acme/app', 'https://ghes.example/api/v3', 'acme/app'],
  ['GitHub', 'http://10.1.2.3:3000/acme/app', 'http://10.1.2.3:3000/api/v3', 'acme/app'],
  [
    'GitHub',
    'http://ghes.example/acme/app',
    'http://ghes.example/api/v3',
    'acme/app',
    'http://ghes.example/api/v3/',
  ],
  ['GitLab', 'https://gitlab.com/group/sub/sub2/app.git', 'https://gitlab.com/api/v4', 'group/sub/sub2/app'],
  ['GitLab', 'git@altssh.gitlab.com:group/app.git', 'https://gitlab.com/api/v4', 'group/app'],
  ['GitLab', 'ssh://git@[fd00::1]:2222/g/app', 'https://[fd00::1]/api/v4', 'g/app'],
  [
    'GitLab',
    'https://h.example/lab/g/app',
    'https://h.example/lab/api/v4',
    'g/app',
    'https://h.example/lab/api/v4',
  ],
  ['GitLab', 'git@h.example:g/app', 'https://h.example/lab/api/v4', 'g/app', 'https://h.example/lab/api/v4'],
  ['Gitea', 'https://codeberg.org/acme/app', 'https://codeberg.org/api/v1', 'acme/app'],
  ['Gitea', 'https://h.example/git/acme/app.git', 'https://h.example/git/api/v1', 'acme/app'],
  ['Gitea', 'http://localhost:3000/acme/a%2Bb', 'http://localhost:3000/api/v1', 'acme/a+b'],
  ['Bitbucket', 'https://bitbucket.org/acme/app', 'https://api.bitbucket.org/2.0', 'acme/app'],
  ['Bitbucket', 'git@bitbucket.org:acme/app.git', 'https://api.bitbucket.org/2.0', 'acme/app'],
  ['Bitbucket', 'https://bb.example/scm/ACME/app.git', 'https://bb.example/rest/api/1.0', 'ACME/app'],
  ['Bitbucket', 'https://bb.example/git/scm/~ann/app.git', 'https://bb.example/git/rest/api/1.0', '~ann/app'],
  ['Bitbucket', 'ssh://git@bb.example:7999/ACME/app.git', 'https://bb.example/rest/api/1.0', 'ACME/app'],
];

describe('the API of a repository', () => {
  for (const [provider, repository, api, path, given] of ROWS) {
    test(`${provider}: ${repository}${given === undefined ? '' : ` by ${given}`}`, () => {
      const location = locate(provider, repository, given);
      assert.deepEqual([location.api, location.path.join('/')], [api, path]);
    });
  }
});

const REFUSED: readonly (readonly [HostProvider, string, RegExp, string?])[] = [
  ['GitHub', 'secret-text', /no URL/],
  ['GitHub', 'https://github.com/secret', /OWNER\/NAME/],
  ['GitHub', 'https://github.com/a/secret/c', /OWNER\/NAME/],
  ['GitHub', 'https://github.com/a/.git', /OWNER\/NAME/],
  ['GitLab', 'https://gitlab.com/secret', /GROUP\/NAME/],
  ['Gitea', 'https://h.example/a/%zzsecret', /escapes nothing/],
  ['Gitea', 'file:///srv/secret/a', /no URL|leads to no host/],
  ['Gitea', 'git://h.example/secret/a', /leads to no host/],
  ['Gitea', 'http://h.example/secret/a', /plain http/],
  ['Gitea', 'https://h.example/a/b', /no http or https URL/, 'secret'],
  ['Gitea', 'https://h.example/a/b', /belong in a Secret/, 'https://user:secret@h.example'],
  ['Gitea', 'https://h.example/a/b', /query/, 'https://h.example/?token=secret'],
];

describe('what is refused, without being repeated', () => {
  for (const [provider, repository, why, given] of REFUSED) {
    test(`${provider}: ${given ?? repository}`, () => {
      assert.throws(
        () => locate(provider, repository, given),
        (error: unknown) =>
          error instanceof AddressError && why.test(error.message) && !error.message.includes('secret'),
      );
    });
  }
});

test('any text gives a location or an AddressError, and never leads to plain http outside', () => {
  const provider = fc.constantFrom<HostProvider>('GitHub', 'GitLab', 'Gitea', 'Bitbucket');
  const text = fc.oneof(
    fc.string(),
    fc.webUrl(),
    fc.string().map((rest) => `git@h.example:${rest}`),
  );
  fc.assert(
    fc.property(provider, text, (provider, repository) => {
      try {
        const { api, path } = locate(provider, repository);
        assert.equal(new URL(api).protocol, 'https:');
        assert.ok(path.every((part) => part !== ''));
      } catch (error) {
        assert.ok(error instanceof AddressError, String(error));
      }
    }),
    { numRuns: 500 },
  );
});
