import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Amd64, asFleetWrites } from '../../core/compatibility.ts';
import { OWN_GROUP } from '../../core/group.ts';
import type { Form } from '../../core/marker.ts';
import type { Lookup, Scan } from '../../core/scan.ts';
import { scalarText } from '../../core/value.ts';
import { digest, valueOf } from './samples.ts';

const CANONICAL = 'index.docker.io/library/nginx';
const CHILD = digest('c');
const IMAGE: Amd64 = { kind: 'image', digest: CHILD };
const SPELLINGS = ['nginx', 'docker.io/nginx', 'docker.io/library/nginx', CANONICAL];

type Found = Extract<Lookup, { kind: 'found' }>;

function found(form: Form, name: string): Found {
  const scan: Scan = {
    group: OWN_GROUP,
    namespace: 'team',
    name: 'web',
    tagName: 'web',
    generation: 1,
    exportTo: [],
    history: [],
    inForce: valueOf(name, '1.25.3'),
  };
  return { kind: 'found', scan, reading: { tagName: 'web', form } };
}

const notAsked = (): never => assert.fail('asked');

/** What a marker of this form makes of the scalar `current`, or why it is left alone. */
function written(form: Form, name: string, current: string, amd64?: Amd64): string {
  const lookup = asFleetWrites(found(form, name), () => amd64 ?? notAsked());
  if (lookup.kind === 'refused') return `${lookup.reason}: ${lookup.message}`;
  return scalarText(form, lookup.scan.inForce ?? assert.fail('without a value'), current);
}

describe('asFleetWrites', () => {
  const rows: [form: Form, expected: string, amd64?: Amd64][] = [
    ['image', `${CANONICAL}:1.25.3`],
    ['name', CANONICAL],
    ['tag', '1.25.3'],
    ['digest', `${CANONICAL}:1.25.3@${CHILD}`, IMAGE],
    ['sha', CHILD, IMAGE],
  ];
  for (const [form, expected, amd64] of rows) {
    it(`:${form} becomes the same whatever the spellings of scan and Git`, () => {
      for (const name of SPELLINGS)
        for (const current of [...SPELLINGS, 'ghcr.io/acme/app', 'old', ''])
          assert.equal(written(form, name, current, amd64), expected, `${name} over ${current}`);
    });
  }

  for (const form of ['digest', 'sha'] as const) {
    it(`:${form} has no value where the index has none for linux/amd64, in the words of Fleet`, () =>
      assert.equal(
        written(form, 'nginx', 'nginx', { kind: 'none' }),
        `NoValue: scan team/web has no digest as Fleet writes it: no child with platform linux/amd64 in index ${CANONICAL}@${digest()}`,
      ));
    it(`:${form} has no value while that is unknown, and says why in one line`, () =>
      assert.match(
        written(form, 'nginx', 'nginx', { kind: 'unknown', why: 'Timeout: no\nanswer' }),
        /^NoValue: scan team\/web has no digest as Fleet writes it: Timeout: no.+answer$/,
      ));
  }

  it('leaves refusals and scans without a value as they are', () => {
    const refused: Lookup = { kind: 'refused', reason: 'UnknownScan', message: 'no scan web' };
    assert.equal(asFleetWrites(refused, notAsked), refused);
    const { scan, reading } = found('digest', 'nginx');
    const { inForce: _inForce, ...without } = scan;
    const empty: Lookup = { kind: 'found', scan: without, reading };
    assert.equal(asFleetWrites(empty, notAsked), empty);
  });

  it('changes nothing about the scan itself', () => {
    const lookup = found('digest', 'nginx');
    const before = structuredClone(lookup);
    asFleetWrites(lookup, () => IMAGE);
    assert.deepEqual(lookup, before);
  });
});
