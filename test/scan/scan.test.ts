import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { around } from '../../core/policy/explain.ts';
import { SCAN_REQUEST_ANNOTATION } from '../../kube/kinds/image-scan.ts';
import { ApiError } from '../../kube/errors.ts';
import { SecretError } from '../../kube/secret.ts';
import { CredentialsError } from '../../registry/credentials.ts';
import { RegistryError } from '../../registry/errors.ts';
import { scanImage } from '../../scan/scan.ts';
import { imageScan } from '../reconciler/samples.ts';
import { digestOf, inForce, told, World } from './world.ts';

const DAY = 86_400_000;

describe('scanImage', () => {
  it('gives the tag that the policy chooses, with its digest, and the name as it was written', async () => {
    const world = new World(['1.0.0', '1.1.0']);
    const result = await world.scan({ image: 'nginx', policy: { semver: { range: '<1.1' } } });
    assert.deepEqual(result, {
      kind: 'selected',
      value: {
        name: 'nginx',
        canonicalName: 'index.docker.io/library/nginx',
        tag: '1.0.0',
        digest: digestOf('1.0.0'),
      },
      tagCount: 2,
      candidates: result.candidates,
    });
    assert.deepEqual(
      result.candidates?.map(({ tag, verdict }) => [tag, verdict]),
      [
        ['1.0.0', 'Chosen'],
        ['1.1.0', 'OutOfRange'],
      ],
    );
    assert.deepEqual(world.asked, [
      'list library/nginx',
      'resolve library/nginx:1.0.0',
      `describe library/nginx@${digestOf('1.0.0')}`,
    ]);
  });

  it('takes no notice of a tag or digest in the spec', async () => {
    const world = new World(['1.1.0']);
    await world.scan({ image: `registry.example/web:old@${digestOf('x')}` });
    assert.equal(world.asked[1], 'resolve web:1.1.0');
  });

  it('shows the registry what there is to show', async () => {
    const world = new World(['1.0.0']);
    const credential = { username: 'me', password: 'secret' };
    const pullAccess = async () => ({ credentials: [credential], ca: 'PEM', notes: [] });
    await world.scan({}, { pullAccess });
    for (const [, , { credentials, ca }] of world.calls)
      assert.deepEqual({ credentials, ca }, { credentials: [credential], ca: 'PEM' });
  });

  it('is content with what another scan was told half an interval ago, unless it was changed or asked for', async () => {
    const ages = async (metadata: object, status: object): Promise<(number | undefined)[]> => {
      const world = new World(['1.0.0']);
      await scanImage(imageScan({ metadata, spec: { interval: '10m' }, status }), {
        registry: world.client,
        pullAccess: async () => ({ credentials: [], notes: [] }),
        memory: world.memory,
        explain: around,
        signal: new AbortController().signal,
      });
      return world.calls.map(([, , { maxAgeMs }]) => maxAgeMs);
    };
    const idle = [300_000, 300_000];
    assert.deepEqual(await ages({}, inForce(['1.0.0'])), idle);
    assert.deepEqual((await ages({ generation: 2 }, inForce(['1.0.0']))).slice(0, 2), [0, 0]);
    const annotations = { [SCAN_REQUEST_ANNOTATION]: 'now' };
    assert.deepEqual(await ages({ annotations }, inForce(['1.0.0'])), [0, 0]);
  });

  it('passes a warning of the policy on', async () => {
    const result = await new World(['1.0.0', '2024']).scan({});
    assert.match(
      result.kind === 'selected' ? (result.warning ?? '') : '',
      /^2024 counts as version 2024\.0\.0/,
    );
  });

  for (const [spec, expected] of [
    [{ image: 'Registry.Example/WEB' }, /^InvalidImage: could not parse reference: Registry\.Example\/WEB/],
    [{ policy: { semver: { range: 'newest' } } }, /^InvalidRange: .*newest/],
    [{ filterTags: { pattern: '(' } }, /^InvalidPattern: .*filterTags\.pattern/],
    [{ exclude: ['ok', '(?=x)'] }, /^InvalidPattern: .*exclude\[1\]/],
    [{ interval: '1d' }, /^InvalidInterval: .*"1d" is not a duration/],
  ] as const) {
    it(`says what is wrong with ${JSON.stringify(spec)}, without a question to the registry`, async () => {
      const world = new World([]);
      assert.match(told(await world.scan(spec)), expected);
      assert.deepEqual(world.calls, []);
    });
  }

  it('says why a pull secret is of no use', async () => {
    for (const error of [
      new SecretError('SecretNotFound', 'Secret team/pull does not exist'),
      new CredentialsError('WrongSecretType', 'it is Opaque'),
    ]) {
      const result = await new World([]).scan({}, { pullAccess: () => Promise.reject(error) });
      assert.equal(told(result), `${error.code}: ${error.message}`);
    }
  });

  it('says what the registry refused, for how long, and what may be the reason', async () => {
    const failing = async (failure: Error, notes: string[]) => {
      const world = new World([]);
      world.client.listTags = async () => {
        throw failure;
      };
      return world.scan({}, { pullAccess: async () => ({ credentials: [], notes }) });
    };
    const limited = new RegistryError('RateLimited', 'slow down', { retryAfterMs: 5000 });
    assert.deepEqual(await failing(limited, ['no such Secret']), {
      kind: 'failed',
      reason: 'RateLimited',
      message: 'slow down',
      retryAfterMs: 5000,
    });
    const refused = await failing(new RegistryError('Unauthorized', 'no entry'), ['no such Secret']);
    assert.equal(told(refused), 'Unauthorized: no entry; no such Secret');
  });

  it('says that there is nothing to choose from, or nothing that may be chosen, and why', async () => {
    const none = await new World([]).scan({});
    assert.deepEqual([told(none), none.tagCount], ['NoTags: no tag found', 0]);
    const noMatch = await new World(['1.0.0', 'latest']).scan({ policy: { semver: { range: '^9' } } });
    assert.deepEqual([told(noMatch), noMatch.tagCount], ['NoMatch: no available version matching ^9', 2]);
    assert.deepEqual(noMatch.candidates?.map(({ tag, verdict }) => `${tag} ${verdict}`).toSorted(), [
      '1.0.0 OutOfRange',
      'latest NotVersion',
    ]);
  });

  it('knows the number of tags though the digest could not be had', async () => {
    const world = new World(['1.0.0']);
    world.client.resolve = () => Promise.reject(new RegistryError('Server', 'status 503'));
    const result = await world.scan({});
    assert.deepEqual([told(result), result.tagCount], ['Server: status 503', 1]);
  });

  it('throws what is no fault of the scan', async () => {
    const down = new ApiError('Unreachable', 'no API server');
    await assert.rejects(new World([]).scan({}, { pullAccess: () => Promise.reject(down) }), down);
    const bug = new TypeError('undefined is not a function');
    const world = new World([]);
    world.client.listTags = () => Promise.reject(bug);
    await assert.rejects(world.scan({}), bug);
  });

  it('is no failed scan when it was told to end', async () => {
    const abort = new AbortController();
    const reason = new Error('deposed');
    const world = new World([]);
    world.client.listTags = () => {
      abort.abort(reason);
      return Promise.reject(new RegistryError('Unreachable', 'the connection was closed'));
    };
    await assert.rejects(world.scan({}, { signal: abort.signal }), reason);
  });
});

describe('tags that are no images', () => {
  it('are passed over for the next, and told', async () => {
    const world = new World({ '1.0.0': {}, '1.1.0': { what: 'a Helm chart' }, '1.2.0': { isMissing: true } });
    const result = await world.scan({});
    assert.equal(told(result), '1.0.0');
    assert.deepEqual(result.candidates?.map(({ tag, verdict }) => [tag, verdict]).slice(0, 1), [
      ['1.0.0', 'Chosen'],
    ]);
    const chart = result.candidates?.find(({ tag }) => tag === '1.1.0');
    assert.equal(chart?.verdict, 'NotImage');
    assert.match(chart?.message ?? '', /a Helm chart/);
  });

  it('win no more when nothing else is there', async () => {
    const world = new World({ '1.0.0': { what: 'a Helm chart' }, '1.1.0': { what: 'an SBOM' } });
    assert.match(told(await world.scan({})), /^NoImage: of the 2 tags .*\(1\.1\.0 is an SBOM\).*filterTags/);
  });

  it('are not tried without an end', async () => {
    const tags = Object.fromEntries(
      Array.from({ length: 100 }, (_, index) => [`1.${index}.0`, { what: 'a Helm chart' }]),
    );
    const world = new World(tags);
    assert.match(told(await world.scan({})), /^NoImage: of the 32 tags/);
    assert.equal(world.asked.filter((call) => call.startsWith('resolve')).length, 32);
  });

  it('cost nothing while the digest in force is the same', async () => {
    const world = new World(['1.0.0']);
    await world.scan({}, { status: inForce(['1.0.0']) });
    assert.deepEqual(world.asked, ['list web', 'resolve web:1.0.0']);
  });

  it('are asked about again at each scan, since the tag may be pushed anew', async () => {
    const world = new World({ '1.0.0': {}, '1.1.0': { what: 'a Helm chart' } });
    assert.equal(told(await world.scan({})), '1.0.0');
    world.tags = { '1.0.0': {}, '1.1.0': { digest: digestOf('new') } };
    assert.equal(told(await world.scan({})), '1.1.0');
  });
});

describe('a registry that tells a wrong digest', () => {
  it('is asked for the manifest itself, whose bytes count', async () => {
    const world = new World({ '1.0.0': { wrongDigest: digestOf('wrong') } });
    const result = await world.scan({});
    assert.equal(result.kind === 'selected' && result.value.digest, digestOf('1.0.0'));
    assert.deepEqual(world.asked, [
      'list web',
      'resolve web:1.0.0',
      `describe web@${digestOf('wrong')}`,
      'read web:1.0.0',
      `describe web@${digestOf('1.0.0')}`,
    ]);
  });
});

describe('newest', () => {
  const newest = { policy: { newest: {} } };

  it('takes what was created last, and asks for no tag that a filter drops', async () => {
    const world = new World({
      a: { created: 2 * DAY },
      b: { created: 3 * DAY },
      c: { created: DAY },
      'b-debug': { created: 9 * DAY },
    });
    const result = await world.scan({ ...newest, filterTags: { pattern: '^.$' } });
    assert.equal(told(result), 'b');
    assert.ok(!world.asked.includes('resolve web:b-debug'));
  });

  it('names a tie', async () => {
    const world = new World({ a: { created: DAY }, b: { created: DAY } });
    const result = await world.scan(newest);
    assert.match(
      result.kind === 'selected' ? (result.warning ?? '') : '',
      /^b was created at the same time as a$/,
    );
  });

  it('passes over what is no image or has no time', async () => {
    const world = new World({
      a: { created: DAY },
      chart: { created: 9 * DAY, what: 'a Helm chart' },
      old: {},
      gone: { isMissing: true },
    });
    assert.equal(told(await world.scan(newest)), 'a');
  });

  it('chooses nothing when one question fails: it could be the wrong one', async () => {
    const world = new World({ a: { created: DAY }, b: { created: 2 * DAY } });
    world.client.created = async ({ digest }) => {
      if (digest === digestOf('b')) throw new RegistryError('RateLimited', 'slow down');
      return DAY;
    };
    assert.equal(told(await world.scan(newest)), 'RateLimited: slow down');
  });

  it('says when there are too many tags to ask about', async () => {
    const world = new World(Array.from({ length: 501 }, (_, index) => `build-${index}`));
    assert.match(told(await world.scan(newest)), /^TooManyTags: .*501.*500.*filterTags/);
    assert.deepEqual(world.asked, ['list web']);
  });

  it('does not go back to an older one when the one in force was deleted', async () => {
    const created = Date.UTC(2026, 0, 5);
    const world = new World({ a: { created } });
    const status = inForce(['b']);
    assert.match(told(await world.scan(newest, { status })), /^TagGone: b is in force/);
    world.tags = { ...world.tags, c: { created: Date.UTC(2026, 0, 11) } };
    assert.equal(told(await world.scan(newest, { status })), 'c');
  });
});

describe('the digest policy', () => {
  const follow = { policy: { digest: { tag: 'stable' } } };

  it('asks for the digest alone, and lists nothing', async () => {
    const world = new World(['stable', '9.9.9']);
    const result = await world.scan(follow, { status: inForce(['stable']) });
    assert.equal(told(result), 'stable');
    assert.equal(result.tagCount, undefined);
    assert.deepEqual(world.asked, ['resolve web:stable']);
  });

  it('says that the tag is not there', async () => {
    assert.equal(told(await new World([]).scan(follow)), 'NotFound: no web:stable');
  });

  it('follows the tag to a new digest, and not back to a former one', async () => {
    const status = inForce(['stable', digestOf('two')], ['stable', digestOf('one')]);
    const scan = async (digest: string) =>
      new World({ stable: { digest: digestOf(digest) } }).scan(follow, { status });
    assert.equal(told(await scan('three')), 'stable');
    assert.equal(told(await scan('two')), 'stable');
    assert.match(told(await scan('one')), /^TagMovedBack: stable names sha256:6f6e65000000 again/);
  });
});

describe('a value in force', () => {
  it('stays when its tag was deleted and nothing newer is there', async () => {
    const world = new World(['1.0.0']);
    const result = await world.scan({}, { status: inForce(['1.1.0'], ['1.0.0']) });
    assert.equal(
      told(result),
      'TagGone: 1.1.0 is in force but gone from the registry, which has nothing newer; push it again, or change the spec to go back',
    );
    assert.equal(result.tagCount, 1);
  });

  it('stays when its tag was deleted and none is left that the policy allows', async () => {
    const world = new World(['0.9.0']);
    const spec = { policy: { semver: { range: '>=1' } } };
    assert.match(told(await world.scan(spec, { status: inForce(['1.1.0']) })), /^TagGone/);
  });

  it('stays when its tag was pushed again as something else', async () => {
    const world = new World({ '1.0.0': {}, '1.1.0': { digest: digestOf('x'), what: 'a Helm chart' } });
    const result = await world.scan({}, { status: inForce(['1.1.0'], ['1.0.0']) });
    assert.match(told(result), /^TagReplaced: 1\.1\.0 is in force but is now a Helm chart/);
  });

  it('stays when its tag was moved back', async () => {
    const world = new World({ '1.1.0': { digest: digestOf('old') } });
    const status = inForce(['1.1.0', digestOf('new')], ['1.1.0', digestOf('old')]);
    assert.match(told(await world.scan({}, { status })), /^TagMovedBack/);
  });

  it('is not taken for gone because a list misses it', async () => {
    const world = new World({ '1.0.0': {}, '1.1.0': { isUnlisted: true } });
    const result = await world.scan({}, { status: inForce(['1.1.0'], ['1.0.0']) });
    assert.equal(told(result), '1.1.0');
  });

  it('gives way to a newer tag, and to an equal one of another spelling', async () => {
    for (const tag of ['1.2.0', 'v1.1.0']) {
      const world = new World(['1.0.0', tag]);
      assert.equal(told(await world.scan({}, { status: inForce(['1.1.0']) })), tag);
    }
  });

  it('goes back when a person changed the spec, or the policy does not want it any more', async () => {
    const changed = { ...inForce(['1.1.0']), observedGeneration: 0 };
    const otherImage = { ...inForce(['1.1.0']), canonicalImageName: 'registry.example/api' };
    for (const status of [changed, otherImage])
      assert.equal(told(await new World(['1.0.0']).scan({}, { status })), '1.0.0');
    const spec = { policy: { semver: { range: '<1.1' } } };
    assert.equal(told(await new World(['1.0.0']).scan(spec, { status: inForce(['1.1.0']) })), '1.0.0');
  });

  it('stays when there are no tags at all', async () => {
    const result = await new World([]).scan({}, { status: inForce(['1.1.0']) });
    assert.equal(told(result), 'NoTags: no tag found');
  });
});

describe('a list that shrinks', () => {
  const tags = Array.from({ length: 20 }, (_, index) => `1.${index}.0`);
  const status = { ...inForce(['1.5.0']), tagCount: 20 };

  it('is asked for again, and the longer one counts', async () => {
    const world = new World(tags);
    world.lists = [tags.slice(0, 10)];
    const result = await world.scan({}, { status });
    assert.equal(told(result), '1.19.0');
    assert.deepEqual(world.asked.slice(0, 2), ['list web', 'list web']);
    assert.equal(world.calls[1]?.[2].maxAgeMs, 0);
  });

  it('counts when it comes twice', async () => {
    const world = new World(tags);
    world.lists = [tags.slice(0, 10), tags.slice(0, 10)];
    const result = await world.scan({}, { status });
    assert.deepEqual([told(result), result.tagCount], ['1.9.0', 10]);
  });

  it('leaves everything as it is when it does not settle', async () => {
    const world = new World(tags);
    world.lists = [tags.slice(0, 10), tags.slice(0, 11)];
    const result = await world.scan({}, { status });
    assert.match(told(result), /^InvalidAnswer: .*10 and then 11 tags of web, where it had 20/);
    assert.equal(result.tagCount, undefined);
  });

  it('is believed at once when few tags are missing, and for another image', async () => {
    const world = new World(tags.slice(0, 18));
    await world.scan({}, { status });
    assert.equal(world.asked.filter((call) => call === 'list web').length, 1);
    const other = new World(['1.0.0']);
    await other.scan({}, { status: { ...status, canonicalImageName: 'registry.example/api' } });
    assert.equal(other.asked.filter((call) => call === 'list web').length, 1);
  });
});

describe('an unchanged list', () => {
  it('is not even read, once it was found to have the tag in force', async () => {
    const world = new World(['1.0.0', '2.0.0']);
    const status = inForce(['2.0.0']);
    await world.scan({}, { status });
    const original = { ...world.client };
    world.client.listTags = async (...parameters) => {
      const { revision } = await original.listTags(...parameters);
      return {
        revision,
        get tags(): never {
          return assert.fail('it was read');
        },
      };
    };
    const result = await world.scan({}, { status });
    assert.deepEqual([told(result), result.tagCount], ['2.0.0', 2]);
  });

  it('is not worked out anew, but a changed spec is', async () => {
    const world = new World(['1.0.0', '2.0.0']);
    const first = await world.scan({});
    const second = await world.scan({}, { status: inForce(['2.0.0']) });
    assert.equal(first.candidates?.length, 2);
    assert.equal(second.candidates, undefined, 'told already');
    world.tags = { '1.0.0': {}, '2.0.0': {}, '3.0.0': {} };
    assert.equal(told(await world.scan({})), '3.0.0');
  });
});
