import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { type Marker, parseCommentMarker } from '../../core/marker.ts';
import type { Lookup } from '../../core/scan.ts';
import { RegistryError } from '../../registry/errors.ts';
import { type AskAmd64, FleetValues, type Find } from '../../write-back/fleet-values.ts';
import { digest, scanOf } from './edits.ts';

const CHILD = digest('c');
const NEVER = new AbortController().signal;

/** Markers such as `web:digest` find a scan of `example/web:1`, whose digest has the given digit. */
const finding =
  (digit = 'a'): Find =>
  ({ readings }) => {
    const reading = readings.find(({ form }) => form !== 'image') ?? readings[0];
    return { kind: 'found', scan: scanOf(`example/${reading.tagName}:1`, digest(digit)), reading };
  };

/** Work that looks up these markers, and counts how often it is done. */
function looking(...markers: readonly string[]) {
  const work = {
    times: 0,
    do: (find: Find): Lookup[] => {
      work.times += 1;
      return markers.map((text) => find(markerOf(text)));
    },
  };
  return work;
}

function markerOf(text: string): Marker {
  return parseCommentMarker(`# {"$imagescan": "${text}"}`) ?? assert.fail(text);
}

/** What a look-up told: the digest, or why there is none. */
function toldBy(lookup: Lookup | undefined): string | undefined {
  return lookup?.kind === 'found' ? lookup.scan.inForce?.digest : lookup?.message;
}

describe('FleetValues', () => {
  it('asks once for each digest that a marker wants, whichever scans have it in force', async () => {
    const asked: string[] = [];
    const values = new FleetValues(async (scan) => {
      asked.push(scan.tagName);
      return CHILD;
    });
    const work = looking('web', 'web:name', 'web:tag', 'web:digest', 'web:sha', 'api:digest');
    const { result, failures } = await values.during(finding(), work.do, NEVER);
    const index = digest('a');
    assert.deepEqual(result.map(toldBy), [index, index, index, CHILD, CHILD, CHILD]);
    assert.deepEqual([asked.toSorted(), failures, work.times], [['api', 'web'], [], 2]);

    const again = looking('web:sha');
    await values.during(finding(), again.do, NEVER);
    assert.deepEqual([asked.length, again.times], [2, 1]);
    await values.during(finding('b'), again.do, NEVER);
    assert.equal(asked.length, 3, 'another digest is another question');
  });

  it('asks nothing for markers that want no digest', async () => {
    const values = new FleetValues(async () => assert.fail('asked'));
    const work = looking('web', 'web:name', 'web:tag');
    await values.during(finding(), work.do, NEVER);
    assert.equal(work.times, 1);
  });

  it('does not keep a failure, and tells of it', async () => {
    let isAway = true;
    const values = new FleetValues(async () => {
      if (isAway) throw new RegistryError('Unreachable', 'cannot reach example');
      return CHILD;
    });
    const work = looking('web:digest');
    const away = await values.during(finding(), work.do, NEVER);
    assert.deepEqual(away.failures, ['Unreachable: cannot reach example']);
    const why = /^scan team\/web has no digest as Fleet writes it: Unreachable: cannot reach example$/;
    assert.match(toldBy(away.result[0]) ?? '', why);
    isAway = false;
    const back = await values.during(finding(), work.do, NEVER);
    assert.deepEqual([back.failures, toldBy(back.result[0])], [[], CHILD]);
  });

  it('asks a few at once, and gives up on what takes too long with all that still waits', async () => {
    let asked = 0;
    const silent: AskAmd64 = async (_scan, _value, signal) => {
      asked += 1;
      await once(signal, 'abort');
      throw signal.reason;
    };
    const names = Array.from({ length: 50 }, (_, i) => `web${i}:digest`);
    const values = new FleetValues(silent, 20);
    const { failures } = await values.during(finding(), looking(...names).do, NEVER);
    assert.deepEqual([asked, new Set(failures)], [8, new Set(['Timeout: no answer within 20 ms'])]);
    assert.equal(failures.length, 50);
  });

  it('begins to count the time with the first question', async () => {
    const values = new FleetValues(async () => CHILD, 20);
    const slow = async (find: Find): Promise<Lookup> => {
      const end = performance.now() + 40;
      while (performance.now() < end) await turn();
      return find(markerOf('web:digest'));
    };
    const { result, failures } = await values.during(finding(), slow, NEVER);
    assert.deepEqual([toldBy(result), failures], [CHILD, []]);
  });

  it('ends with its signal, and with a mistake of ours', async () => {
    const abort = new AbortController();
    const stopped = new FleetValues(async () => {
      abort.abort(new Error('stopped'));
      throw abort.signal.reason;
    });
    await assert.rejects(stopped.during(finding(), looking('web:digest').do, abort.signal), /stopped/);
    const broken = new FleetValues(async () => {
      throw new TypeError('ours');
    });
    await assert.rejects(broken.during(finding(), looking('web:digest').do, NEVER), /ours/);
  });
});
