import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Decision, decide, type KeptReason } from '../../core/decision.ts';
import { type Pod, podImages } from '../../core/pod.ts';
import { RESOLVED_ANNOTATION, type Resolution } from '../../core/resolution.ts';
import type { Scan } from '../../core/scan.ts';
import { digest, historyOf, indexOf, scanOf, scanWithoutValue, valueOf } from './samples.ts';

const NOW = new Date('2026-02-01T00:00:00Z');
const MARKER = 'imagescan.fleetscan.io/';
const OLD = digest('b');

function podOf(
  image: string | undefined,
  annotations: Record<string, string> = { [`${MARKER}app`]: 'app' },
): Pod {
  return {
    metadata: { annotations },
    spec: { containers: [{ name: 'app', ...(image !== undefined && { image }) }] },
  };
}

function decisionsOn(pod: Pod, ...scans: Scan[]): Decision[] {
  return decide({ pod, namespace: 'team', images: podImages(pod), scans: indexOf(...scans), now: NOW });
}

/** What was decided, per container: the image it gets, or the reason that it keeps its own. */
function outcome(pod: Pod, ...scans: Scan[]): Record<string, string> {
  return Object.fromEntries(
    decisionsOn(pod, ...scans).map((decision) =>
      decision.kind === 'resolved' ? [decision.image.name, decision.to] : [decision.name, decision.reason],
    ),
  );
}

describe('decide', () => {
  it('records how the image came about', () => {
    assert.deepEqual(decisionsOn(podOf('nginx:1.0'), scanOf({ generation: 7 })), [
      {
        kind: 'resolved',
        image: { kind: 'container', name: 'app', image: 'nginx:1.0', path: '/spec/containers/0/image' },
        to: 'nginx:1.3',
        resolution: {
          from: 'nginx:1.0',
          to: 'nginx:1.3',
          scan: 'team/app',
          generation: 7,
          time: '2026-02-01T00:00:00.000Z',
        },
      },
    ]);
  });

  it('serves images of all kinds', () => {
    const pod: Pod = {
      metadata: {
        annotations: Object.fromEntries(
          ['app', 'init', 'debug', 'model'].map((name) => [`${MARKER}${name}`, 'app:tag']),
        ),
      },
      spec: {
        containers: [
          { name: 'app', image: 'app:1' },
          { name: 'unmarked', image: 'unmarked:1' },
        ],
        initContainers: [{ name: 'init', image: 'init:1' }],
        ephemeralContainers: [{ name: 'debug', image: 'debug:1' }],
        volumes: [{ name: 'tmp' }, { name: 'model', image: { reference: 'model:1' } }],
      },
    };
    assert.deepEqual(outcome(pod, scanOf()), {
      app: 'app:1.3',
      init: 'init:1.3',
      debug: 'debug:1.3',
      model: 'model:1.3',
    });
  });

  it('means the container where an image volume has its name', () => {
    const pod: Pod = {
      metadata: { annotations: { [`${MARKER}app`]: 'app' } },
      spec: {
        volumes: [{ name: 'app', image: { reference: 'model:1' } }],
        containers: [{ name: 'app', image: 'nginx:1' }],
      },
    };
    const [decision] = decisionsOn(pod, scanOf());
    assert.equal(decision?.kind === 'resolved' && decision.image.path, '/spec/containers/0/image');
  });

  const forms: [marker: string, image: string | undefined, expected: string, why: string][] = [
    ['app', 'nginx', 'nginx:1.3', 'no tag before'],
    ['app', undefined, 'nginx:1.3', 'no image before'],
    ['app', 'nginx:1.0', 'nginx:1.3', 'the spelling of the user'],
    ['app', 'docker.io/library/nginx:1.0', 'docker.io/library/nginx:1.3', 'whichever it is'],
    ['app', 'index.docker.io/library/nginx:1.0', 'index.docker.io/library/nginx:1.3', 'the canonical one'],
    ['app:digest', `nginx@${OLD}`, `nginx:1.3@${digest()}`, 'tag and digest'],
    ['app:name', `mirror.local/nginx:1.0@${OLD}`, `nginx:1.0@${OLD}`, 'what is not asked for stays'],
    [
      'app:tag',
      `mirror.local/nginx:1.0@${OLD}`,
      'mirror.local/nginx:1.3',
      'the tag, and the old digest goes',
    ],
    ['app:sha', 'mirror.local/nginx:1.0', `mirror.local/nginx@${digest()}`, 'the digest alone'],
    ['{"$imagescan": "app:tag"}', 'nginx:1.0', 'nginx:1.3', 'the JSON of a comment marker'],
  ];
  for (const [marker, image, expected, why] of forms) {
    it(`${marker} on ${image?.replace(OLD, 'OLD')}: ${why}`, () =>
      assert.deepEqual(outcome(podOf(image, { [`${MARKER}app`]: marker }), scanOf()), { app: expected }));
  }

  const changed = scanWithoutValue({ history: historyOf(valueOf('nginx', '1.3')) });
  const kept: [marker: string, image: string, scans: Scan[], reason: KeptReason, message: RegExp][] = [
    ['app', 'nginx', [], 'UnknownScan', /^no scan app in namespace team, and none exported to it$/],
    ['app:foo', 'nginx', [scanOf()], 'UnknownForm', /^"foo" is no form/],
    ['{"$imagescan":', 'nginx', [scanOf()], 'InvalidMarker', /is not JSON/],
    ['', 'nginx', [scanOf()], 'InvalidMarker', /names no scan/],
    [
      'infra/app',
      'nginx',
      [scanOf({ namespace: 'infra' })],
      'NotExported',
      /is not exported to namespace team$/,
    ],
    [
      'app',
      'nginx',
      [scanOf(), scanOf({ name: 'x', tagName: 'app' })],
      'AmbiguousScan',
      /team\/app, team\/x$/,
    ],
    ['app', 'nginx', [scanWithoutValue()], 'NoValue', /^scan team\/app has no result yet$/],
    [
      'app',
      'nginx',
      [changed],
      'StaleValue',
      /^scan team\/app has no result yet for the image that it names now$/,
    ],
    [
      'app:tag',
      '',
      [scanOf()],
      'InvalidImage',
      /^"" is no image reference, so :tag cannot change a part of it$/,
    ],
    ['app:name', 'a\nb', [scanOf()], 'InvalidImage', /^"a b" is no image reference/],
    ['app:sha', ':1.0', [scanOf()], 'InvalidImage', /^":1.0" is no image reference/],
  ];
  for (const [marker, image, scans, reason, message] of kept) {
    it(`keeps ${JSON.stringify(image)} with ${JSON.stringify(marker)}: ${reason}`, () => {
      const pod = podOf(image, { [`${MARKER}app`]: marker });
      const [decision, ...more] = decisionsOn(pod, ...scans);
      assert.ok(decision?.kind === 'kept');
      assert.deepEqual(more, []);
      assert.equal(decision.name, 'app');
      assert.equal(decision.image?.image, image);
      assert.equal(decision.reason, reason);
      assert.match(decision.message, message);
    });
  }

  it('tells of a marker whose container is not there, and of no image with it', () => {
    const [decision] = decisionsOn(podOf('nginx', { [`${MARKER}web`]: 'app' }), scanOf());
    assert.deepEqual(decision, {
      kind: 'kept',
      name: 'web',
      reason: 'UnknownContainer',
      message: 'the pod has no container or image volume web (yet)',
    });
  });

  it('passes over markers of images that may not be changed', () => {
    const pod = podOf('nginx');
    assert.deepEqual(decide({ pod, namespace: 'team', images: [], scans: indexOf(scanOf()), now: NOW }), []);
  });

  it('lets one marker fail without the others', () => {
    const pod: Pod = {
      metadata: { annotations: { [`${MARKER}app`]: 'nonsense', [`${MARKER}web`]: 'app' } },
      spec: {
        containers: [
          { name: 'app', image: 'nginx:1' },
          { name: 'web', image: 'nginx:1' },
        ],
      },
    };
    assert.deepEqual(outcome(pod, scanOf()), { app: 'UnknownScan', web: 'nginx:1.3' });
  });

  for (const pod of [
    {},
    { metadata: null, spec: null },
    { metadata: { annotations: null } },
    podOf('nginx', {}),
  ]) {
    it(`decides nothing for ${JSON.stringify(pod)}`, () => assert.deepEqual(decisionsOn(pod, scanOf()), []));
  }

  for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty', '0']) {
    it(`serves a container ${name} like any other`, () => {
      const pod: Pod = {
        metadata: { annotations: { [`${MARKER}${name}`]: 'app', [RESOLVED_ANNOTATION]: '{}' } },
        spec: { containers: [{ name, image: 'nginx:1.0' }] },
      };
      const [decision] = decisionsOn(pod, scanOf());
      assert.equal(decision?.kind === 'resolved' && decision.to, 'nginx:1.3');
    });
  }
});

describe('a recorded resolution', () => {
  const before = valueOf('nginx', '1.2');
  const scan = scanOf({ generation: 2, history: historyOf(valueOf('nginx', '1.3'), before) });
  const recorded: Resolution = {
    from: 'nginx:1.0',
    to: 'nginx:1.2',
    scan: 'team/app',
    generation: 1,
    time: '2026-01-31T23:59:59.000Z',
  };
  const podWith = (record: unknown, image = 'nginx:1.2', marker = 'app'): Pod =>
    podOf(image, {
      [`${MARKER}app`]: marker,
      [RESOLVED_ANNOTATION]: typeof record === 'string' ? record : JSON.stringify(record),
    });
  const resolved = (pod: Pod, ...scans: Scan[]): Resolution | undefined => {
    const [decision] = decisionsOn(pod, ...scans);
    return decision?.kind === 'resolved' ? decision.resolution : undefined;
  };

  it('of the value in force is left as it is', () => {
    const current = { ...recorded, to: 'nginx:1.3' };
    assert.deepEqual(resolved(podWith({ app: current }, 'nginx:1.3'), scan), current);
  });

  it('holds when a newer value came into force between two webhooks of one admission', () => {
    assert.deepEqual(resolved(podWith({ app: recorded }), scan), recorded);
  });

  it('holds while a changed scan has no value in force', () => {
    const { inForce: _none, ...stale } = scan;
    assert.deepEqual(resolved(podWith({ app: recorded }), stale), recorded);
  });

  const believed: [marker: string, image: string, why: string][] = [
    ['app:tag', 'mirror.local/nginx:1.2', 'the tag is what the marker takes from the value'],
    ['app:digest', `nginx:1.2@${before.digest}`, 'tag and digest are right'],
    ['app:sha', `mirror.local/nginx@${before.digest}`, 'the digest is'],
    ['app:name', 'nginx:7', 'the name is, and the tag is not ours'],
    ['app', 'docker.io/nginx:1.2', 'it is the same image in another spelling'],
  ];
  for (const [marker, image, why] of believed) {
    it(`${marker} with ${image.slice(0, 30)} is believed: ${why}`, () => {
      const record = { ...recorded, to: image };
      assert.deepEqual(resolved(podWith({ app: record }, image, marker), scan), record);
    });
  }

  const forged: [record: unknown, image: string, marker: string, to: string, why: string][] = [
    [{ app: recorded }, 'nginx:1.1', 'app', 'nginx:1.3', 'the container has another image than the record'],
    [{ app: recorded }, 'nginx:1.3', 'app', 'nginx:1.3', 'likewise, though its image is the one in force'],
    [
      { app: { ...recorded, to: 'nginx:1.1' } },
      'nginx:1.1',
      'app',
      'nginx:1.3',
      'a value that never was in force',
    ],
    [
      { app: { ...recorded, to: 'evil:1.2' } },
      'evil:1.2',
      'app',
      'nginx:1.3',
      'an image that the scan is not of',
    ],
    [
      { app: { ...recorded, scan: 'team/web' } },
      'nginx:1.2',
      'app',
      'nginx:1.3',
      'a scan that the marker does not name',
    ],
    [{ app: { ...recorded, scan: 'app' } }, 'nginx:1.2', 'app', 'nginx:1.3', 'a scan that is no key'],
    [{ web: recorded }, 'nginx:1.2', 'app', 'nginx:1.3', 'it is of another container'],
    [{ app: { ...recorded, to: 12 } }, 'nginx:1.2', 'app', 'nginx:1.3', 'a number for an image'],
    [{ app: { ...recorded, generation: '1' } }, 'nginx:1.2', 'app', 'nginx:1.3', 'a text for a number'],
    [{ app: { to: 'nginx:1.2' } }, 'nginx:1.2', 'app', 'nginx:1.3', 'the rest is missing'],
    [{ app: null }, 'nginx:1.2', 'app', 'nginx:1.3', 'null'],
    [[recorded], 'nginx:1.2', 'app', 'nginx:1.3', 'a list'],
    ['{"app":', 'nginx:1.2', 'app', 'nginx:1.3', 'half of it'],
    [
      { app: { ...recorded, to: 'nginx:1.2' } },
      'nginx:1.2',
      'app:digest',
      `nginx:1.3@${digest()}`,
      'another form',
    ],
    [
      { app: { ...recorded, to: `nginx:1.2@${OLD}` } },
      `nginx:1.2@${OLD}`,
      'app:digest',
      `nginx:1.3@${digest()}`,
      'a digest that the tag never had',
    ],
    [
      { app: { ...recorded, to: `nginx@${OLD}` } },
      `nginx@${OLD}`,
      'app:sha',
      `nginx@${digest()}`,
      'a digest from nowhere',
    ],
  ];
  for (const [record, image, marker, to, why] of forged) {
    it(`is replaced when forged: ${why}`, () =>
      assert.deepEqual(resolved(podWith(record, image, marker), scan), {
        from: image,
        to,
        scan: 'team/app',
        generation: 2,
        time: NOW.toISOString(),
      }));
  }

  it('does not help a scan that may not be named', () => {
    const record = { app: { ...recorded, scan: 'infra/app' } };
    const pod = podWith(record, 'nginx:1.2', 'infra/app');
    assert.deepEqual(outcome(pod, { ...scan, namespace: 'infra' }), { app: 'NotExported' });
  });

  it('does not hide that there never was a value', () => {
    assert.deepEqual(outcome(podWith({ app: recorded }), scanWithoutValue()), { app: 'NoValue' });
  });
});
