import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { type Challenge, parseChallenges } from '../../registry/challenge.ts';

const plain = ({ scheme, parameters, token68 }: Challenge): object => ({
  scheme,
  ...Object.fromEntries(parameters),
  ...(token68 !== undefined && { token68 }),
});
const parse = (headers: string | string[] | undefined): object[] => parseChallenges(headers).map(plain);

const CASES: [string, string | string[] | undefined, object[]][] = [
  ['no header', undefined, []],
  ['an empty one', '', []],
  ['a scheme alone', 'Negotiate', [{ scheme: 'negotiate' }]],
  [
    'Docker Hub',
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push"',
    [
      {
        scheme: 'bearer',
        realm: 'https://auth.docker.io/token',
        service: 'registry.docker.io',
        scope: 'repository:a/b:pull,push',
      },
    ],
  ],
  [
    'two challenges in one header (Codeberg)',
    'Bearer realm="https://codeberg.org/v2/token",service="container_registry",scope="*",Basic realm="https://codeberg.org/v2"',
    [
      { scheme: 'bearer', realm: 'https://codeberg.org/v2/token', service: 'container_registry', scope: '*' },
      { scheme: 'basic', realm: 'https://codeberg.org/v2' },
    ],
  ],
  [
    'several headers',
    ['Basic realm="a"', 'Bearer realm="b"'],
    [
      { scheme: 'basic', realm: 'a' },
      { scheme: 'bearer', realm: 'b' },
    ],
  ],
  [
    'names in any case, values as they are',
    'BEARER Realm="HTTPS://Auth"',
    [{ scheme: 'bearer', realm: 'HTTPS://Auth' }],
  ],
  ['escapes', String.raw`Basic realm="a \"b\" \\ c"`, [{ scheme: 'basic', realm: String.raw`a "b" \ c` }]],
  [
    'values without quotes',
    'Basic realm=a, charset=UTF-8',
    [{ scheme: 'basic', realm: 'a', charset: 'UTF-8' }],
  ],
  ['space about the equals sign', 'Basic realm = "a" , x="y"', [{ scheme: 'basic', realm: 'a', x: 'y' }]],
  [
    'token68',
    'Negotiate YWJj+/==, Basic realm="a"',
    [
      { scheme: 'negotiate', token68: 'YWJj+/==' },
      { scheme: 'basic', realm: 'a' },
    ],
  ],
  [
    'empty list elements',
    ', ,Basic realm="a",, ,Negotiate,',
    [{ scheme: 'basic', realm: 'a' }, { scheme: 'negotiate' }],
  ],
  ['a comma and an equals sign in quotes', 'Basic realm="a, b=c"', [{ scheme: 'basic', realm: 'a, b=c' }]],
  ['a quote that is never closed', 'Basic realm="abc', [{ scheme: 'basic', realm: 'abc' }]],
  ['a parameter that comes twice', 'Basic realm="a", realm="b"', [{ scheme: 'basic', realm: 'a' }]],
  ['a parameter before any scheme', 'realm="a", Basic realm="b"', [{ scheme: 'basic', realm: 'b' }]],
  ['bytes that belong nowhere', '"x" Basic @ realm="b"', [{ scheme: 'x' }, { scheme: 'basic', realm: 'b' }]],
];

for (const [name, header, want] of CASES) {
  test(`reads a WWW-Authenticate: ${name}`, () => assert.deepEqual(parse(header), want));
}

const token = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,12}$/);
const value = fc.string({ maxLength: 20 });
const written = fc.record({
  scheme: token,
  content: fc.oneof(
    fc.uniqueArray(fc.tuple(token, value), { selector: ([name]) => name.toLowerCase(), maxLength: 4 }),
    fc.stringMatching(/^[A-Za-z0-9\-._~+/]{1,12}={0,2}$/),
  ),
});
type Written = { scheme: string; content: [string, string][] | string };

function write({ scheme, content }: Written): string {
  if (typeof content === 'string') return `${scheme} ${content}`;
  return `${scheme} ${content.map(([name, value]) => `${name}="${value.replaceAll(/["\\]/g, '\\$&')}"`).join(', ')}`.trimEnd();
}

function expected({ scheme, content }: Written): object {
  const lower = { scheme: scheme.toLowerCase() };
  if (typeof content === 'string') return { ...lower, parameters: [], token68: content };
  return { ...lower, parameters: content.map(([name, value]) => [name.toLowerCase(), value]) };
}

test('reads back every challenge that can be written, in one header and in several', () => {
  fc.assert(
    fc.property(fc.array(written, { maxLength: 4 }), fc.boolean(), (challenges, inOne) => {
      const headers = challenges.map(write);
      const parsed = parseChallenges(inOne ? headers.join(', ') : headers);
      const plain = parsed.map(({ parameters, ...rest }) => ({ ...rest, parameters: [...parameters] }));
      assert.deepEqual(plain, challenges.map(expected));
    }),
  );
});

test('never throws, whatever the header', () => {
  const hostile = fc.array(
    fc.constantFrom('"', '\\', '=', ',', ' ', '\t', 'a', 'Basic', '\n', '\u0000', 'é'),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        hostile.map((parts) => parts.join('')),
      ),
      (header) => {
        for (const { scheme } of parseChallenges(header)) assert.notEqual(scheme, '');
      },
    ),
  );
});

test('takes time in proportion to the length of the header', () => {
  for (const unit of ['a', '"', 'a=', 'a="', 'a ', '\\', 'a="\\', ' ', '=', ', ', 'a =', '~+/']) {
    const start = performance.now();
    parseChallenges(unit.repeat(200_000));
    const took = performance.now() - start;
    assert.ok(took < 2_000, `${JSON.stringify(unit)}: ${took} ms`);
  }
});
