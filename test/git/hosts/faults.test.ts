import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { connectPullRequests } from '../../../git/hosts/connect.ts';
import { HostError, type HostErrorCode } from '../../../git/hosts/host.ts';
import { type FakeHost, type HostRequest, send } from '../../fakes/hosts/server.ts';
import { connectionTo, connectTo, FAKES } from './stage.ts';

const BRANCHES = { source: 'bot/main', target: 'main' };
const TEXT = { title: 'Update', body: 'Body', labels: [], assignees: [] };
const any = (): boolean => true;
const isWrite = ({ method }: HostRequest): boolean => method !== 'GET';

/** The error that a call throws; that it is one line, bounded and without the token holds for all of them. */
async function failure(call: Promise<unknown>, code: HostErrorCode): Promise<HostError> {
  const error = await call.then(
    () => assert.fail('it succeeded'),
    (error: unknown) => error,
  );
  assert.ok(error instanceof HostError, String(error));
  assert.equal(error.code, code, error.message);
  assert.doesNotMatch(error.message, /secret|f00d|\n/);
  assert.ok(error.message.length < 700, error.message);
  return error;
}

describe('a host that fails', { concurrency: true }, () => {
  for (const [name, make] of Object.entries(FAKES)) {
    describe(name, { concurrency: 1 }, () => {
      let host: FakeHost;
      let elsewhere: FakeHost;
      beforeEach(async () => {
        host = await make().start();
        elsewhere = await make().start();
      });
      afterEach(async () => {
        await host.stop();
        await elsewhere.stop();
      });

      test('a wrong token, and none', async () => {
        const wrong = connectTo(host, { credential: { token: 'secret-of-another' } });
        await failure(wrong.latest(BRANCHES), 'Unauthorized');
        const { credential: _, ...anonymous } = connectionTo(host);
        await failure(connectPullRequests(anonymous).latest(BRANCHES), 'Unauthorized');
      });

      test('no such request, and no such repository', async () => {
        await failure(connectTo(host).update(7, TEXT), 'NotFound');
        const url = host.repositoryUrl.replace('app.git', 'other.git');
        const error = await failure(connectTo(host, { repositoryUrl: url }).latest(BRANCHES), 'NotFound');
        assert.match(error.message, /other/);
      });

      test('a request that the host refuses for what it says, in its words', async () => {
        host.plan(isWrite, (response) =>
          send(response, {
            status: 422,
            json: { message: 'Validation Failed', errors: [{ field: 'base', code: 'invalid' }] },
          }),
        );
        const error = await failure(connectTo(host).open(BRANCHES, TEXT), 'Rejected');
        assert.match(error.message, /status 422\): Validation Failed; field base; code invalid/);
      });

      test('a target that is not there', async () => {
        const open = connectTo(host).open({ source: 'bot/main', target: 'gone' }, TEXT);
        await assert.rejects(open, (error: HostError) => ['Rejected', 'NotFound'].includes(error.code));
      });

      test('too many requests, with the time to come again', async () => {
        host.plan(any, (response) =>
          send(response, { status: 429, json: { message: 'slow down' }, headers: { 'retry-after': '17' } }),
        );
        const error = await failure(connectTo(host).latest(BRANCHES), 'RateLimited');
        assert.equal(error.retryAfterMs, 17_000);
        assert.equal(host.requests.length, 1);
      });

      test('a host in trouble is asked again for what only reads', async () => {
        host.plan(any, (response) => send(response, { status: 502 }));
        host.plan(any, (response) => response.destroy());
        assert.equal(await connectTo(host).latest(BRANCHES), undefined);
        host.plan(isWrite, (response) => send(response, { status: 503 }));
        const writes = host.writes;
        await failure(connectTo(host).open(BRANCHES, TEXT), 'Unreachable');
        assert.equal(host.writes - writes, 1);
        assert.equal(host.forge.pulls.length, 0);
      });

      test('a host that stays in trouble', async () => {
        for (let i = 0; i < 3; i++) host.plan(any, (response) => send(response, { status: 503 }));
        await failure(connectTo(host).latest(BRANCHES), 'Unreachable');
        assert.equal(host.requests.length, 3);
      });

      test('a host that hangs, before its answer and in it', async () => {
        host.plan(any, () => {});
        const started = performance.now();
        await failure(connectTo(host, { timeoutMs: 200 }).latest(BRANCHES), 'Timeout');
        host.plan(any, (response) => {
          response.writeHead(200);
          response.write('[');
        });
        await failure(connectTo(host, { timeoutMs: 200 }).latest(BRANCHES), 'Timeout');
        assert.ok(performance.now() - started < 5_000);
      });

      test('a call that is no longer wanted ends with its own reason', async () => {
        const reason = new Error('enough');
        const stop = new AbortController();
        host.plan(any, () => stop.abort(reason));
        await assert.rejects(connectTo(host, { signal: stop.signal }).latest(BRANCHES), reason);
      });

      test('a redirect to another host is not followed, by reading or writing', async () => {
        const location = `${elsewhere.url}/stolen`;
        for (const status of [301, 302, 307, 308]) {
          host.plan(any, (response) => send(response, { status, headers: { location } }));
          const error = await failure(connectTo(host).latest(BRANCHES), 'InvalidAnswer');
          assert.ok(error.message.includes(elsewhere.url), error.message);
          host.plan(isWrite, (response) => send(response, { status, headers: { location } }));
          await failure(connectTo(host).open(BRANCHES, TEXT), 'InvalidAnswer');
        }
        assert.deepEqual(elsewhere.requests, []);
      });

      test('a redirect on the same host is followed by what reads, and by a write that stays one', async () => {
        host.plan(any, (response, { path, query }) =>
          send(response, { status: 301, headers: { location: `${path}?${query.toString()}` } }),
        );
        assert.equal(await connectTo(host).latest(BRANCHES), undefined);
        host.plan(isWrite, (response, { path }) =>
          send(response, { status: 307, headers: { location: path } }),
        );
        assert.equal((await connectTo(host).open(BRANCHES, TEXT)).request.state, 'Open');
        host.plan(isWrite, (response, { path }) =>
          send(response, { status: 302, headers: { location: path } }),
        );
        await failure(connectTo(host).open(BRANCHES, TEXT), 'InvalidAnswer');
        for (let i = 0; i < 4; i++) {
          host.plan(any, (response, { path }) =>
            send(response, { status: 302, headers: { location: path } }),
          );
        }
        await failure(connectTo(host).latest(BRANCHES), 'InvalidAnswer');
      });

      test('a body without end', async () => {
        host.plan(any, (response) => {
          response.writeHead(200);
          const more = (): void => {
            while (response.write('['.repeat(65_536)));
          };
          response.on('drain', more);
          more();
        });
        const error = await failure(connectTo(host).latest(BRANCHES), 'InvalidAnswer');
        assert.match(error.message, /bytes/);
      });

      test('a page for people, and JSON of another form', async () => {
        host.plan(any, (response) => {
          response.writeHead(200, { 'content-type': 'text/html' });
          response.end('<html>Sign in</html>');
        });
        const error = await failure(connectTo(host).latest(BRANCHES), 'InvalidAnswer');
        assert.match(error.message, /check the provider and the API's URL/);
        host.plan(any, (response) => send(response, { status: 200, json: { hello: 'world' } }));
        await failure(connectTo(host).latest(BRANCHES), 'InvalidAnswer');
        host.plan(any, (response) => {
          response.writeHead(403, { 'content-type': 'text/html' });
          response.end('<html>Blocked</html>');
        });
        await failure(connectTo(host).latest(BRANCHES), 'Unauthorized');
      });

      test('a host that repeats what it was sent, with line breaks and colours', async () => {
        host.plan(any, (response, { headers }) => {
          const message = `\u001b[31mno\u001b[0m\nfor ${headers.authorization}\n${'x'.repeat(5000)}`;
          send(response, { status: 400, json: { message } });
        });
        const error = await failure(connectTo(host).latest(BRANCHES), 'Rejected');
        assert.match(error.message, /\*\*\*/);
      });

      test('no host', async () => {
        const requests = connectTo(host);
        await host.stop();
        await failure(requests.latest(BRANCHES), 'Unreachable');
      });
    });
  }
});
