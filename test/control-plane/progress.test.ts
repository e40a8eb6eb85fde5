import assert from 'node:assert/strict';
import { test } from 'node:test';
import { elapsed, megabytes, streamProgress } from './progress.ts';

function stream(isTTY: boolean): { stream: NodeJS.WriteStream; written: string[] } {
  const written: string[] = [];
  const fake = { isTTY, columns: 20, write: (text: string) => written.push(text) };
  return { stream: fake as unknown as NodeJS.WriteStream, written };
}

test('on a terminal one line is redrawn, no longer than the terminal is wide', () => {
  const { stream: terminal, written } = stream(true);
  const progress = streamProgress(terminal);
  progress.update('1 of 2');
  progress.update('a text that is too long for it');
  progress.line('done');
  assert.deepEqual(written, ['\r\u001B[K1 of 2', '\r\u001B[Ka text that is too ', '\r\u001B[Kdone\n']);
});

test('elsewhere there is a line at most every ten seconds', (t) => {
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  const { stream: file, written } = stream(false);
  const progress = streamProgress(file);
  progress.line('begun');
  for (now = 1000; now <= 21_000; now += 1000) progress.update(`at ${now}`);
  assert.deepEqual(written, ['begun\n', 'at 10000\n', 'at 20000\n']);
});

test('sizes and times are for people', (t) => {
  t.mock.method(performance, 'now', () => 125_000);
  assert.equal(megabytes(45_250_000), '45.3 MB');
  assert.equal(elapsed(120_000), '5s');
  assert.equal(elapsed(60_000), '1m05s');
});
