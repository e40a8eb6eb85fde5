import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { parseRFC3339 } from '../../core/rfc3339.ts';

const TIMES: [text: string, want: string][] = [
  ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05.000Z'],
  ['2026-01-02t03:04:05z', '2026-01-02T03:04:05.000Z'],
  ['2026-01-02 03:04:05+00:00', '2026-01-02T03:04:05.000Z'],
  ['2026-01-02T03:04:05.123456789+02:30', '2026-01-02T00:34:05.123Z'],
  ['2026-01-02T03:04:05.9999999Z', '2026-01-02T03:04:05.999Z'],
  ['2026-01-02T03:04:05.9999999999999999Z', '2026-01-02T03:04:05.999Z'],
  ['2026-01-02T03:04:05.29Z', '2026-01-02T03:04:05.290Z'],
  ['2025-12-31T23:00:00-02:00', '2026-01-01T01:00:00.000Z'],
  ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
  ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
  ['1970-01-01T00:00:00Z', '1970-01-01T00:00:00.000Z'],
];

const NONE = [
  '',
  '5',
  'now',
  '20201204',
  '2026-01-01',
  '2026-01-01T00:00Z',
  '2026-01-01T00:00:00',
  '2026-01-01T00:00:00 Z',
  '2026-01-01T00:00:00.Z',
  '2026-01-01T00:00:00+0200',
  ' 2026-01-01T00:00:00Z',
  '2026-01-01T00:00:00Z\n',
  '2026-02-30T00:00:00Z',
  '2023-02-29T00:00:00Z',
  '2026-00-01T00:00:00Z',
  '2026-13-01T00:00:00Z',
  '2026-01-00T00:00:00Z',
  '2026-01-01T24:00:00Z',
  '2026-01-01T00:60:00Z',
  '2026-01-01T00:00:60Z',
  '2026-01-01T00:00:00+24:00',
  '2026-01-01T00:00:00+00:60',
  '12026-01-01T00:00:00Z',
];

describe('a time of RFC 3339', () => {
  for (const [text, want] of TIMES)
    it(`${text} is ${want}`, () => assert.equal(parseRFC3339(text), Date.parse(want)));

  for (const text of NONE)
    it(`is not ${JSON.stringify(text)}`, () => assert.equal(parseRFC3339(text), undefined));

  it('is read as it was written, in any zone', () => {
    const time = fc.date({
      noInvalidDate: true,
      min: new Date('0001-01-02T00:00:00Z'),
      max: new Date('9999-12-30T00:00:00Z'),
    });
    const zone = fc.integer({ min: -23 * 60 - 59, max: 23 * 60 + 59 });
    fc.assert(
      fc.property(time, zone, (date, minutes) => {
        const local = new Date(date.getTime() + minutes * 60_000).toISOString().slice(0, -1);
        const [hour, minute] = [Math.trunc(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
        const offset = `${minutes < 0 ? '-' : '+'}${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;
        assert.equal(parseRFC3339(`${local}${offset}`), date.getTime());
      }),
    );
  });

  it('is what Date.parse reads too, whenever it is one', () => {
    const part = fc.integer({ min: 0, max: 99 }).map((number) => String(number).padStart(2, '0'));
    fc.assert(
      fc.property(fc.tuple(part, part, part, part, part), ([month, day, hour, minute, second]) => {
        const text = `2026-${month}-${day}T${hour}:${minute}:${second}Z`;
        const time = parseRFC3339(text);
        assert.equal(time, time === undefined ? undefined : Date.parse(text));
      }),
    );
  });
});
