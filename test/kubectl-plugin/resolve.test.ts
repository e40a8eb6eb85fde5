import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { before, describe, it } from 'node:test';
import { parse } from 'yaml';
import type { RunResult } from '../control-plane/run.ts';
import { temporaryFolder } from '../control-plane/processes.ts';
import { digestOf, imageIndex, imageManifest, startFakeRegistry } from '../fakes/registry.ts';
import { buildPlugin, type Plugin } from './plugin.ts';

const DIGEST = `sha256:${'1'.repeat(64)}`;
const scanOf = (metadata: object, more: object = {}): object => ({
  apiVersion: 'fleetscan.io/v1alpha1',
  kind: 'ImageScan',
  metadata: { name: 'web', ...metadata },
  spec: { image: 'ghcr.io/acme/web', ...more },
  status: { canonicalImageName: 'ghcr.io/acme/web', latestTag: '1.2.0', latestDigest: DIGEST },
});

let plugin: Plugin;
let folder: string;
before(async () => {
  plugin = await buildPlugin();
  folder = temporaryFolder('resolve');
  await writeFile(`${folder}/scans.json`, JSON.stringify(scanOf({})));
});

/** Runs `resolve` on standard input. */
const resolve = (stdin: string, ...args: readonly string[]): Promise<RunResult> =>
  plugin.run(['resolve', '-f', '-', '--scans', `${folder}/scans.json`, ...args], { stdin });

const WEB = 'ghcr.io/acme/web:1.2.0';

const DEPLOYMENT = `# licence
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}   # odd   spacing
spec:
  template:
    metadata:
      annotations:
        imagescan.fleetscan.io/web: '{"$imagescan": "web"}'
        imagescan.fleetscan.io/side: web:digest
        imagescan.fleetscan.io/init: web
        imagescan.fleetscan.io/bare: web
        imagescan.fleetscan.io/data: web:sha
    spec:
      initContainers: [{name: init, image: x}]
      containers:
        - name: web
          image: old # kept
        - image: "old"
          name: side
        - name: bare
          args: [a]
        - name: free
          image: free:1
      volumes:
        - name: data
          image: {reference: ghcr.io/acme/data:5, pullPolicy: Always}
`;
const RESOLVED = DEPLOYMENT.replace('image: x}', `image: '${WEB}'}`)
  .replace('image: old #', `image: ${WEB} #`)
  .replace('"old"', `"${WEB}@${DIGEST}"`)
  .replace('- name: bare', `- image: "${WEB}"\n          name: bare`)
  .replace('ghcr.io/acme/data:5', `'ghcr.io/acme/data@${DIGEST}'`);

describe('resolve', () => {
  it('gives each marked container and volume of a template its image, and leaves all other bytes', async () => {
    const { code, stdout, stderr } = await resolve(DEPLOYMENT);
    assert.deepEqual([code, stderr], [0, '']);
    assert.equal(stdout, RESOLVED);
    const crlf = await resolve(DEPLOYMENT.replaceAll('\n', '\r\n'));
    assert.equal(crlf.stdout, RESOLVED.replaceAll('\n', '\r\n'));
    const json = await resolve(JSON.stringify(parse(DEPLOYMENT)));
    assert.deepEqual(JSON.parse(json.stdout), parse(RESOLVED));
  });

  const pod =
    'metadata: {annotations: {imagescan.fleetscan.io/a: web}}, spec: {containers: [{name: a, image: @}]}';
  for (const [kind, manifest] of [
    ['Pod', `kind: Pod, ${pod}`],
    ['PodTemplate', `kind: PodTemplate, template: {${pod}}`],
    ['StatefulSet', `kind: StatefulSet, spec: {template: {${pod}}}`],
    ['Job', `kind: Job, spec: {template: {${pod}}}`],
    ['CronJob', `kind: CronJob, spec: {jobTemplate: {spec: {template: {${pod}}}}}`],
    ['a workload that nobody knows', `kind: Rollout, spec: {template: {${pod}}}`],
    ['a List', `kind: List, items: [{kind: Pod, ${pod}}, {kind: DaemonSet, spec: {template: {${pod}}}}]`],
  ] as const) {
    it(`knows the pods of ${kind}`, async () => {
      const { stdout } = await resolve(`{${manifest.replaceAll('@', 'x')}}\n`);
      assert.equal(stdout, `{${manifest.replaceAll('@', `'${WEB}'`)}}\n`);
    });
  }

  it('takes comment markers as write-back does, before the annotations', async () => {
    const text = `kind: ConfigMap\ndata:\n  tag: old # {"$imagescan": "web:tag"}\n`;
    assert.equal((await resolve(text)).stdout, text.replace('old', '1.2.0'));
  });

  it('writes what Fleet writes beside comment markers with --compatibility Fleet, and gives pods what they get', async () => {
    await using registry = await startFakeRegistry();
    const digest = registry.push('acme/web', '1.2.0', imageIndex('acme/web', ['linux/arm64', 'linux/amd64']));
    const image = `${registry.host}/acme/web`;
    const status = { canonicalImageName: image, latestTag: '1.2.0', latestDigest: digest };
    const file = `${temporaryFolder('scans')}/scans.json`;
    await writeFile(file, JSON.stringify({ ...scanOf({}, { image }), status }));
    const text = `kind: Pod
metadata: {annotations: {imagescan.fleetscan.io/a: 'web:digest'}}
spec:
  containers:
    - name: a
      image: x
---
kind: ConfigMap
data:
  image: x # {"$imagescan": "web:digest"}
`;
    const args = ['--scans', file, '--compatibility', 'Fleet', '--insecure-registry', registry.host];
    const { code, stdout } = await plugin.run(['resolve', '-f', '-', ...args], { stdin: text });
    const child = digestOf(Buffer.from(JSON.stringify(imageManifest('acme/web linux/amd64'))));
    assert.equal(code, 0);
    assert.equal(
      stdout,
      text
        .replace('      image: x', `      image: ${image}:1.2.0@${digest}`)
        .replace('  image: x #', `  image: ${image}:1.2.0@${child} #`),
    );
    const list = `apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n- image: x # {"$imagescan": "web:sha"}\n`;
    const answered = await plugin.run(['update', '-', ...args], { stdin: list });
    assert.match(answered.stdout, new RegExp(`- image: ${child} #`));
  });

  it('follows aliases and what a mapping merges, to where the image is written', async () => {
    const text = `kind: Pod
x: &base {image: x}
metadata: {annotations: {imagescan.fleetscan.io/a: web, imagescan.fleetscan.io/b: web}}
spec:
  containers:
    - {<<: *base, name: a}
    - {<<: *base, name: b}
`;
    assert.equal((await resolve(text)).stdout, text.replace('image: x', `image: '${WEB}'`));
    const two = text.replace('io/b: web', 'io/b: web:digest');
    const { code, stdout, stderr } = await resolve(two);
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(
      stderr,
      /^error: -:1: Pod : \/spec\/containers\/1\/image has no place of its own in the text/,
    );
  });

  it('warns as the webhook does, and leaves the image', async () => {
    const text = DEPLOYMENT.replace('side: web:digest', 'side: gone').replace('bare: web', 'absent: web');
    const { code, stdout, stderr } = await resolve(text);
    assert.equal(code, 0);
    assert.match(stdout, /- image: "old"\n/);
    assert.deepEqual(stderr.trimEnd().split('\n'), [
      'Warning: -:2: fleetscan: side: UnknownScan: no scan gone in namespace default, and none exported to it (stays old)',
      'Warning: -:2: fleetscan: absent: UnknownContainer: the pod has no container or image volume absent (yet)',
    ]);
  });

  it('prints what does not parse as it is, and says so', async () => {
    const text = `kind: {{ .Kind }}\n{{ if .x }}\n---\n${DEPLOYMENT}`;
    const { code, stdout, stderr } = await resolve(text);
    assert.deepEqual([code, stdout], [0, text.replace(DEPLOYMENT, RESOLVED)]);
    assert.match(stderr, /^Warning: -:\d: the document does not parse: /);
  });

  it('prints nothing where the webhook would reject a pod', async () => {
    const text = DEPLOYMENT.replace('side: web:digest', 'side: gone\n        fleetscan.io/required: "true"');
    const { code, stdout, stderr } = await resolve(text);
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /^error: -:2: fleetscan\.io\/required is "true" and side: UnknownScan: /);
  });

  it('looks scans up in the namespace of the workload, or of the flag', async () => {
    await writeFile(
      `${folder}/shop.json`,
      JSON.stringify(scanOf({ namespace: 'shop' }, { exportTo: ['team-*'] })),
    );
    const of = (namespace: string, ...args: string[]): Promise<RunResult> => {
      const stdin = DEPLOYMENT.replace('{name: web}', `{name: web${namespace}}`);
      return plugin.run(['resolve', '-f', '-', '--scans', `${folder}/shop.json`, ...args], { stdin });
    };
    assert.equal((await of('')).stderr, '');
    assert.equal((await of(', namespace: shop')).stderr, '');
    assert.equal((await of(', namespace: team-a')).stderr, '');
    assert.match((await of(', namespace: other')).stderr, /UnknownScan: no scan web in namespace other/);
    assert.match((await of('', '-n', 'other')).stderr, /UnknownScan: no scan web in namespace other/);
  });

  it('prints files and folders as one stream of documents', async () => {
    await mkdir(`${folder}/all`);
    await writeFile(`${folder}/all/a.yaml`, DEPLOYMENT.trimEnd());
    await writeFile(`${folder}/all/b.yml`, '---\nkind: B\n');
    await writeFile(`${folder}/all/c.txt`, 'kind: C\n');
    await writeFile(`${folder}/d.json`, '{"kind": "D"}\n');
    const args = [
      'resolve',
      '-f',
      `${folder}/all`,
      '-f',
      `${folder}/d.json`,
      '--scans',
      `${folder}/scans.json`,
    ];
    const { stdout } = await plugin.run(args);
    assert.equal(stdout, `${RESOLVED}---\nkind: B\n---\n{"kind": "D"}\n`);
  });

  it('asks the registry, unless that is forbidden', async () => {
    await using registry = await startFakeRegistry();
    registry.push('acme/web', '2.0.0');
    const image = `${registry.host}/acme/web`;
    await writeFile(`${folder}/fleet.yaml`, `imageScans:\n- {tagName: web, image: "${image}"}\n`);
    const args = ['resolve', '-f', '-', '--scans', `${folder}/fleet.yaml`];
    const { code, stdout } = await plugin.run(args, { stdin: DEPLOYMENT });
    assert.deepEqual([code, stdout.includes(`image: ${image}:2.0.0 # kept`)], [0, true]);
    const offline = await plugin.run([...args, '--offline'], { stdin: DEPLOYMENT });
    assert.deepEqual([offline.code, offline.stdout], [0, DEPLOYMENT]);
    assert.match(
      offline.stderr,
      /web: NoValue: scan default\/web has no value: .*--offline asks no registry/,
    );
    await registry.stop();
    const failed = await plugin.run(args, { stdin: DEPLOYMENT });
    assert.deepEqual([failed.code, failed.stdout], [1, DEPLOYMENT]);
    assert.match(failed.stderr, /^error: .*fleet\.yaml:2: .*cannot reach/m);
  });

  for (const [args, message] of [
    [[], /say which manifests: -f FILE/],
    [['-f', '-'], /say which scans: --scans FILE/],
    [['-f', '-', '--scans', '-'], /standard input can be read once only/],
    [['-f', '/nowhere', '--scans', '-'], /--filename: ENOENT/],
    [['-f', '-', '--scans', '/nowhere'], /--scans: ENOENT/],
  ] as const) {
    it(`${args.join(' ')} fails and says why`, async () => {
      const { code, stdout, stderr } = await plugin.run(['resolve', ...args], { stdin: 'a: b\n' });
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, message);
    });
  }
});

describe('a KRM function', () => {
  const config = (text: string): string => text.replaceAll(/^/gm, '  ').trimEnd();
  const list = (functionConfig: string): string => `apiVersion: config.kubernetes.io/v1
kind: ResourceList
functionConfig:
${config(functionConfig)}
items:
- apiVersion: v1
  kind: Pod
  metadata:
    name: p
    annotations:
      config.kubernetes.io/path: 'apps/p.yaml'
      config.kubernetes.io/index: '3'
      imagescan.fleetscan.io/b: web
      imagescan.fleetscan.io/c: gone
  spec:
    containers:
    - name: a
      image: x # {"$imagescan": "web"}
    - name: b
      image: y
    - name: c
      image: z
`;
  const SCAN = JSON.stringify(scanOf({}));
  const place = {
    resourceRef: { apiVersion: 'v1', kind: 'Pod', name: 'p' },
    file: { path: 'apps/p.yaml', index: 3 },
  };
  const info = (from: string): object => ({ severity: 'info', message: `${from} -> ${WEB}`, ...place });
  const warning = {
    severity: 'warning',
    message:
      'fleetscan: c: UnknownScan: no scan gone in namespace default, and none exported to it (stays z)',
    ...place,
  };

  for (const [what, functionConfig] of [
    ['an ImageScan', SCAN],
    [
      'a list of them',
      JSON.stringify({ apiVersion: 'fleetscan.io/v1alpha1', kind: 'ImageScanList', items: [scanOf({})] }),
    ],
    ['an ImageScan of Fleet', JSON.stringify({ ...scanOf({}), apiVersion: 'fleet.cattle.io/v1alpha1' })],
    [
      'a ConfigMap of files',
      JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', data: { 'scans.yaml': SCAN } }),
    ],
  ] as const) {
    it(`resolves the items by ${what}, and gives results`, async () => {
      const stdin = list(functionConfig);
      const { code, stdout, stderr } = await plugin.run(['resolve', '-f', '-', '--offline'], { stdin });
      assert.deepEqual([code, stderr], [0, '']);
      const [body, results] = stdout.split('results:\n');
      assert.equal(body, stdin.replace('image: x', `image: ${WEB}`).replace('image: y', `image: ${WEB}`));
      assert.deepEqual(parse(results ?? ''), [warning, info('x'), info('y')]);
    });
  }

  it('takes imageScans as a fleet.yaml has them, and scans from files besides', async () => {
    await using registry = await startFakeRegistry();
    registry.push('acme/api', '3.0.0');
    const fleet = `kind: Scans\nspec:\n  imageScans:\n  - {tagName: gone, image: "${registry.host}/acme/api"}\n`;
    const args = ['resolve', '-f', '-', '--scans', `${folder}/scans.json`];
    const { code, stdout } = await plugin.run(args, { stdin: list(fleet) });
    assert.equal(code, 0);
    const images = parse(stdout).items[0].spec.containers.map(({ image }: { image: string }) => image);
    assert.deepEqual(images, [WEB, WEB, `${registry.host}/acme/api:3.0.0`]);
  });

  it('answers update by the comments alone, with exit code 0', async () => {
    const { code, stdout } = await plugin.run(['update', '-', '--offline'], { stdin: list(SCAN) });
    assert.equal(code, 0);
    assert.equal(stdout.split('results:\n')[0], list(SCAN).replace('image: x', `image: ${WEB}`));
    assert.deepEqual(parse(stdout).results, [info('x')]);
  });

  it('fails with --strict where a marker is left alone, and answers all the same', async () => {
    const stdin = list(SCAN).replace('image: y', 'image: y # {"$imagescan": "gone"}');
    const { code, stdout, stderr } = await plugin.run(['update', '-', '--offline', '--strict'], { stdin });
    assert.equal(code, 1);
    assert.match(stderr, /^error: marker left alone: UnknownScan: no scan gone/);
    const message =
      'marker left alone: UnknownScan: no scan gone in namespace default, and none exported to it';
    assert.deepEqual(parse(stdout).results, [{ severity: 'error', message, ...place }, info('x')]);
  });

  for (const flag of ['--dry-run', '--all', '--output=json', '--path=apps']) {
    it(`does not take ${flag}, which is for folders`, async () => {
      const { code, stdout, stderr } = await plugin.run(['update', '-', flag], { stdin: list(SCAN) });
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, /^error: --[a-z-]+ is for folders, not for update -$/m);
    });
  }

  it('reads standard input once only', async () => {
    for (const args of [
      ['update', '-', '--scans', '-'],
      ['update', '.', '--scans', '-', '--scans', '-'],
    ]) {
      const { code, stderr } = await plugin.run(args, { stdin: list(SCAN) });
      assert.deepEqual([code, stderr], [1, 'error: standard input can be read once only\n']);
    }
  });

  it('is a list in JSON, too, and the results of an earlier function give way', async () => {
    const input = { ...parse(list(SCAN)), results: [{ message: 'earlier' }] };
    const { stdout } = await plugin.run(['resolve', '-f', '-'], { stdin: JSON.stringify(input) });
    const answer = JSON.parse(stdout);
    assert.deepEqual(answer.results, [warning, info('y')]);
    assert.equal(answer.items[0].spec.containers[1].image, WEB);
  });

  it('fails where a scan is wrong, with a result that says so', async () => {
    const stdin = list(JSON.stringify({ ...scanOf({}), spec: {} }));
    const { code, stdout, stderr } = await plugin.run(['resolve', '-f', '-'], { stdin });
    assert.equal(code, 1);
    assert.match(stderr, /^error: functionConfig:\d+: ImageScan web: spec\.image/);
    assert.equal(parse(stdout).results[0].severity, 'error');
  });

  it('says that it has no scans, and that update wants such a list', async () => {
    const none = await plugin.run(['resolve', '-f', '-'], { stdin: list('kind: None') });
    assert.match(none.stderr, /there are no scans: put them into the functionConfig/);
    const other = await plugin.run(['update', '-'], { stdin: 'kind: Pod\n' });
    assert.deepEqual([other.code, /update - reads a ResourceList/.test(other.stderr)], [1, true]);
  });
});
