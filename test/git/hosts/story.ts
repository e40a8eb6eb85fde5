import assert from 'node:assert/strict';
import type { PullRequestText } from '../../../git/hosts/host.ts';
import { type Stage, writesDuring } from './stage.ts';

const BRANCHES = { source: 'bot/main', target: 'main' };
const BODY = '| image | old | new |\n|---|---|---|\n| app | 1.0 | 1.1 |\n';

function textFor(stage: Stage, more: Partial<PullRequestText> = {}): PullRequestText {
  return {
    title: 'Update app to 1.1',
    body: BODY,
    labels: stage.hasLabels ? ['bug', 'images'] : [],
    assignees: [stage.login('bob')],
    ...more,
  };
}

/** What must hold on every host: by name, each on a fresh stage. */
export const STORY: Readonly<Record<string, (stage: Stage) => Promise<void>>> = {
  'a request is opened with its text, labels and assignees, and found again': async (stage) => {
    assert.equal(await stage.requests.latest(BRANCHES), undefined);
    const { request, notes } = await stage.requests.open(BRANCHES, textFor(stage));
    assert.deepEqual(notes, []);
    assert.equal(request.state, 'Open');
    assert.match(request.url, new RegExp(`/${request.number}$`));
    const seen = await stage.look(request.number);
    assert.equal(seen.title, 'Update app to 1.1');
    assert.equal(seen.body, BODY);
    assert.deepEqual([...seen.labels].sort(), stage.hasLabels ? ['bug', 'images'] : []);
    assert.deepEqual(seen.assignees, ['bob']);
    assert.deepEqual(await stage.requests.latest(BRANCHES), request);
  },

  'saying the same again writes nothing': async (stage) => {
    const { request } = await stage.requests.open(BRANCHES, textFor(stage));
    const writes = await writesDuring(async () => {
      const again = await stage.requests.update(request.number, textFor(stage));
      assert.deepEqual(again, { request, notes: [] });
    });
    assert.equal(writes, 0);
  },

  'an update changes the text, and leaves what people added': async (stage) => {
    const { request } = await stage.requests.open(BRANCHES, textFor(stage));
    if (stage.hasLabels) await stage.label(request.number, 'urgent');
    await stage.assign(request.number, 'ann');
    const text = textFor(stage, { title: 'Update app to 1.2', body: 'New\n' });
    const { request: updated, notes } = await stage.requests.update(request.number, text);
    assert.deepEqual(notes, []);
    assert.equal(updated.title, 'Update app to 1.2');
    const seen = await stage.look(request.number);
    assert.equal(seen.title, 'Update app to 1.2');
    assert.equal(seen.body.trimEnd(), 'New');
    assert.deepEqual([...seen.labels].sort(), stage.hasLabels ? ['bug', 'images', 'urgent'] : []);
    assert.deepEqual([...seen.assignees].sort(), ['ann', 'bob']);
  },

  'what a person closed is Closed, and an update leaves it alone': async (stage) => {
    const { request } = await stage.requests.open(BRANCHES, textFor(stage));
    await stage.close(request.number);
    assert.equal((await stage.requests.latest(BRANCHES))?.state, 'Closed');
    const writes = await writesDuring(async () => {
      const { request: kept } = await stage.requests.update(
        request.number,
        textFor(stage, { title: 'Other' }),
      );
      assert.equal(kept.state, 'Closed');
    });
    assert.equal(writes, 0);
  },

  'what was merged is Merged': async (stage) => {
    const { request } = await stage.requests.open(BRANCHES, textFor(stage));
    await stage.merge(request.number);
    const latest = await stage.requests.latest(BRANCHES);
    assert.deepEqual([latest?.number, latest?.state], [request.number, 'Merged']);
  },

  'of several the open one counts, then the newest': async (stage) => {
    const first = await stage.requests.open(BRANCHES, textFor(stage));
    await stage.close(first.request.number);
    const second = await stage.requests.open(BRANCHES, textFor(stage));
    assert.notEqual(second.request.number, first.request.number);
    assert.equal((await stage.requests.latest(BRANCHES))?.number, second.request.number);
    await stage.close(second.request.number);
    assert.equal((await stage.requests.latest(BRANCHES))?.number, second.request.number);
  },

  'a request that somebody opened first is taken and says our text': async (stage) => {
    await stage.open(BRANCHES, 'same repository');
    const theirs = await stage.requests.latest(BRANCHES);
    const { request } = await stage.requests.open(BRANCHES, textFor(stage));
    assert.equal(request.number, theirs?.number);
    assert.equal((await stage.look(request.number)).title, 'Update app to 1.1');
    assert.deepEqual((await stage.look(request.number)).assignees, ['bob']);
  },

  'a request from a fork, or into another branch, is none of ours': async (stage) => {
    await stage.open(BRANCHES, 'fork');
    await stage.open({ source: 'bot/main', target: 'release/1' }, 'same repository');
    assert.equal(await stage.requests.latest(BRANCHES), undefined);
    const { request } = await stage.requests.open(BRANCHES, textFor(stage));
    assert.equal((await stage.requests.latest(BRANCHES))?.number, request.number);
  },

  'closing says why, once': async (stage) => {
    const { request } = await stage.requests.open(BRANCHES, textFor(stage));
    await stage.requests.close(request.number, 'Nothing is left to update.');
    assert.equal((await stage.requests.latest(BRANCHES))?.state, 'Closed');
    assert.deepEqual((await stage.look(request.number)).comments, ['Nothing is left to update.']);
    assert.equal(await writesDuring(() => stage.requests.close(request.number, 'Again')), 0);
  },

  'whom the host does not know is left out with a note': async (stage) => {
    const assignees = [stage.login('nobody'), stage.login('bob')];
    const { request, notes } = await stage.requests.open(BRANCHES, textFor(stage, { assignees }));
    assert.equal(notes.length, 1, notes.join('\n'));
    assert.ok(notes[0]?.includes(stage.login('nobody')));
    assert.deepEqual((await stage.look(request.number)).assignees, ['bob']);
  },

  'a text that is too long is cut at the end of a line': async (stage) => {
    const line = `| ${'x'.repeat(997)}|\n`;
    const text = textFor(stage, { title: 't'.repeat(1000), body: line.repeat(1100) });
    const { request } = await stage.requests.open(BRANCHES, text);
    const seen = await stage.look(request.number);
    assert.match(seen.title, /^t{200,255}…$/);
    const [table = '', end = ''] = seen.body.split('\n\n');
    assert.match(end, /too long/);
    assert.ok(table.split('\n').every((row) => row.length === line.length - 1));
    assert.equal(await writesDuring(() => stage.requests.update(request.number, text)), 0);
  },
};
