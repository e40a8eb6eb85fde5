import * as fc from 'fast-check';
import { OWN_GROUP } from '../../core/group.ts';
import type { Pod } from '../../core/pod.ts';
import { RESOLVED_ANNOTATION } from '../../core/resolution.ts';
import { type Scan, scanKey } from '../../core/scan.ts';
import type { Value } from '../../core/value.ts';
import { digest, historyOf, valueOf } from './samples.ts';

const ODD_NAMES = ['a~b/c', '~1', '__proto__', 'constructor', '0', ''] as const;
const IMAGES = ['nginx', 'docker.io/library/nginx', 'ghcr.io/acme/app', 'reg:5000/app'] as const;
const TAGS = ['1.0', '1.1', '2.0', 'latest'] as const;
const name = fc.oneof({ weight: 3, arbitrary: fc.constantFrom('app', 'web') }, fc.constantFrom(...ODD_NAMES));

const value: fc.Arbitrary<Value> = fc
  .tuple(fc.constantFrom(...IMAGES), fc.constantFrom(...TAGS), fc.constantFrom('a', 'b'))
  .map(([image, tag, digit]) => valueOf(image, tag, digest(digit)));

const scanNamed = (namespace: fc.Arbitrary<string>, tagName: fc.Arbitrary<string>): fc.Arbitrary<Scan> =>
  fc
    .record({
      group: fc.constant(OWN_GROUP),
      namespace,
      name: fc.constantFrom('app', 'web', 'db'),
      tagName,
      generation: fc.nat(3),
      exportTo: fc.constantFrom([], ['*'], ['te*m'], ['other']),
      inForce: fc.option(value, { nil: undefined, freq: 10 }),
      former: fc.array(value, { maxLength: 3 }),
    })
    .map(({ inForce, former, ...rest }) => ({
      ...rest,
      history: historyOf(...(inForce ? [inForce] : []), ...former),
      ...(inForce && { inForce }),
    }));
const anyScan = scanNamed(
  fc.constantFrom('team', 'infra', 'lab'),
  fc.constantFrom('app', 'web', 'app:tag', 'a/b', '__proto__'),
);

/** Scans whose names and values often meet those of {@link pods} in namespace `team`. */
export const scans: fc.Arbitrary<Scan[]> = fc
  .tuple(
    fc.array(scanNamed(fc.constant('team'), fc.constant('app')), { minLength: 1, maxLength: 1 }),
    fc.array(scanNamed(fc.constant('team'), fc.constant('web')), { maxLength: 1 }),
    fc.array(anyScan, { maxLength: 3 }),
  )
  .map((parts) => parts.flat());

const image = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.constantFrom(...IMAGES), fc.constantFrom('', ':1.0', ':1.1', `@${digest()}`))
      .map((parts) => parts.join('')),
  },
  { weight: 2, arbitrary: fc.constantFrom(undefined, null, '') },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
);
const container = fc.record({ name, image, command: fc.array(fc.string(), { maxLength: 1 }) });
const volume = fc.record({
  name,
  image: fc.option(fc.record({ reference: image, pullPolicy: fc.constant('Always') })),
});
const some = <T>(item: fc.Arbitrary<T>): fc.Arbitrary<T[] | null | undefined> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.array(item, { maxLength: 5, size: 'max' }) },
    { weight: 1, arbitrary: fc.constantFrom(null, undefined) },
  );

const scanName = fc.constantFrom(
  'app',
  'app',
  'app',
  'web',
  'web',
  'a~1b',
  'infra/app',
  'nobody',
  '__proto__',
);
const form = fc.constantFrom('', '', ':name', ':tag', ':digest', ':sha', ':foo');
const shortMarker = fc.tuple(scanName, form).map((parts) => parts.join(''));
const marker = fc.oneof(
  { weight: 4, arbitrary: shortMarker },
  { weight: 2, arbitrary: shortMarker.map((text) => JSON.stringify({ $imagescan: text })) },
  { weight: 1, arbitrary: fc.oneof(fc.string({ unit: 'binary' }), fc.json()) },
);

const resolution = fc.record({
  from: image,
  to: image,
  scan: fc.oneof(
    fc
      .constantFrom('team', 'infra')
      .map((namespace) => scanKey({ group: OWN_GROUP, namespace, name: 'app' })),
    fc.string(),
  ),
  generation: fc.oneof(fc.nat(3), fc.double(), fc.string()),
  time: fc.constantFrom('2026-01-01T00:00:00Z', 'yesterday', 0),
});
const record = fc.oneof(
  { weight: 3, arbitrary: fc.dictionary(name, resolution).map((entries) => JSON.stringify(entries)) },
  { weight: 1, arbitrary: fc.oneof(fc.string({ unit: 'binary' }), fc.json()) },
);

const annotation = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.tuple(
      name.map((name) => `imagescan.fleetscan.io/${name}`),
      marker,
    ),
  },
  { weight: 2, arbitrary: fc.tuple(fc.constant(RESOLVED_ANNOTATION), record) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constant('fleetscan.io/required'), fc.constantFrom('true', 'false', 'yes')),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(
      fc.oneof(fc.constantFrom('a/b~c', '__proto__', 'imagescan.fleetscan.io'), fc.string()),
      fc.string(),
    ),
  },
);
const annotations = fc.oneof(
  {
    weight: 9,
    arbitrary: fc
      .array(annotation, { minLength: 1, maxLength: 8, size: 'max' })
      .map((entries) => Object.fromEntries(entries)),
  },
  { weight: 1, arbitrary: fc.constantFrom(null, undefined) },
);

/** Pods with lists of all kinds, null ones too, and odd annotations, as they come out of JSON. */
export const pods: fc.Arbitrary<Pod> = fc
  .record({
    metadata: fc.option(fc.record({ name: fc.constant('pod'), annotations }), { freq: 20 }),
    spec: fc.option(
      fc.record({
        containers: some(container),
        initContainers: some(container),
        ephemeralContainers: some(container),
        volumes: some(volume),
        nodeName: fc.constant('node'),
      }),
      { freq: 20 },
    ),
  })
  .map((pod) => JSON.parse(JSON.stringify(pod)));
