import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { chooseContext, type ContextOptions } from '../../kube/context.ts';
import { parseKubeconfig, readKubeconfig } from '../../kube/kubeconfig.ts';

let folder: string;
const environment = process.env['KUBECONFIG'];

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'fleetscan-kubeconfig-'));
});
after(() => rm(folder, { recursive: true }));
afterEach(() => {
  if (environment === undefined) delete process.env['KUBECONFIG'];
  else process.env['KUBECONFIG'] = environment;
});

async function file(name: string, text: string): Promise<string> {
  const where = path.join(folder, name);
  await writeFile(where, text);
  return where;
}

const CONFIG = `
apiVersion: v1
kind: Config
current-context: one
clusters:
- name: c1
  cluster: {server: "https://one:6443/", certificate-authority-data: QQ==}
- name: c2
  cluster: {server: "https://two:6443"}
users:
- name: u1
  user: {token: secret, as: ann, as-groups: [dev]}
contexts:
- name: one
  context: {cluster: c1, user: u1, namespace: team}
- name: two
  context: {cluster: c2, user: u1}
`;
const choose = (options: ContextOptions = {}, text = CONFIG) =>
  chooseContext(parseKubeconfig(text, 'test'), options);

describe('readKubeconfig', () => {
  it('passes over missing files of $KUBECONFIG, and of two entries with one name takes the first', async () => {
    const first = await file(
      'first',
      'clusters: [{name: c, cluster: {server: "https://first"}}]\nusers: null\n',
    );
    const second = await file(
      'second',
      'current-context: x\nclusters: [{name: c, cluster: {server: "https://second"}}]\ncontexts: [{name: x, context: {cluster: c}}]\n',
    );
    process.env['KUBECONFIG'] = [first, path.join(folder, 'missing'), second].join(path.delimiter);
    const config = await readKubeconfig();
    assert.ok(config);
    assert.equal(chooseContext(config, {}).cluster.server, 'https://first');
  });

  it('starts relative paths at the folder of the file, and leaves a bare command to PATH', async () => {
    const where = await file(
      'relative',
      `clusters: [{name: c, cluster: {server: "https://x", certificate-authority: ca.pem}}]
users:
- {name: u, user: {tokenFile: ./token, client-key: /abs/key, exec: {command: ../bin/login}}}
- {name: v, user: {exec: {command: aws}}}
`,
    );
    const config = await readKubeconfig(where);
    assert.equal(config?.clusters[0]?.cluster['certificate-authority'], path.join(folder, 'ca.pem'));
    const [u, v] = config.users;
    assert.equal(u?.user.tokenFile, path.join(folder, 'token'));
    assert.equal(u.user['client-key'], '/abs/key');
    assert.equal(u.user.exec?.command, path.resolve(folder, '../bin/login'));
    assert.equal(v?.user.exec?.command, 'aws');
  });

  it('is undefined when no file of the list is there, and refuses a missing file that was named', async () => {
    process.env['KUBECONFIG'] = path.join(folder, 'missing');
    assert.equal(await readKubeconfig(), undefined);
    await assert.rejects(readKubeconfig(path.join(folder, 'missing')), {
      code: 'InvalidKubeconfig',
      message: /there is no kubeconfig/,
    });
  });

  it('names the file and the field that is wrong, and never shows what is in it', async () => {
    const broken = await file('broken', 'users: [{name: u, user: {token: "hunter2"');
    await assert.rejects(readKubeconfig(broken), (error: Error) => {
      assert.match(error.message, /broken is not YAML/);
      assert.doesNotMatch(error.message, /hunter2/);
      return true;
    });
    const wrong = await file('wrong', 'clusters: [{name: c, cluster: {server: 5}}]');
    await assert.rejects(readKubeconfig(wrong), { message: /wrong: clusters\.0\.cluster\.server: .*string/ });
  });
});

describe('chooseContext', () => {
  it('takes the current context with its namespace and impersonation', () => {
    const chosen = choose();
    assert.equal(chosen.cluster.server, 'https://one:6443');
    assert.equal(chosen.namespace, 'team');
    assert.equal(chosen.user.token, 'secret');
    assert.deepEqual(chosen.impersonate, { user: 'ann', groups: ['dev'] });
  });

  it('lets options override context, cluster, server, authority, token and impersonation', () => {
    assert.equal(choose({ context: 'two' }).namespace, 'default');
    assert.equal(choose({ cluster: 'c2' }).cluster.server, 'https://two:6443');
    const chosen = choose({
      server: 'https://other',
      certificateAuthority: '/ca',
      token: 't',
      impersonate: { user: 'bob' },
    });
    assert.equal(chosen.cluster.server, 'https://other');
    assert.equal(chosen.cluster['certificate-authority'], '/ca');
    assert.equal(chosen.cluster['certificate-authority-data'], undefined);
    assert.deepEqual(chosen.user, { token: 't' });
    assert.equal(chosen.impersonate.user, 'bob');
  });

  it('needs no kubeconfig when a server is given', () => {
    assert.equal(choose({ server: 'localhost:8080' }, '').cluster.server, 'http://localhost:8080');
  });

  it('says what names there are when one leads nowhere', () => {
    assert.throws(() => choose({ context: 'three' }), {
      code: 'UnknownContext',
      message: /no context "three"; it has one, two/,
    });
    assert.throws(() => choose({ user: 'nobody' }), {
      code: 'UnknownContext',
      message: /no user "nobody"; it has u1/,
    });
  });

  it('says how to name a cluster when there is none', () => {
    assert.throws(() => choose({}, ''), { code: 'NoCluster', message: /--kubeconfig/ });
    assert.throws(() => choose({}, 'contexts: [{name: x, context: {}}]'), {
      code: 'NoCluster',
      message: /--context/,
    });
    assert.throws(() => choose({ server: 'https://a b' }), {
      code: 'InvalidKubeconfig',
      message: /not a URL/,
    });
  });
});
