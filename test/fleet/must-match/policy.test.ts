import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { choose } from '../../../core/policy/choose.ts';
import { parseSelection, PolicyError, type PolicySpec } from '../../../core/policy/selection.ts';
import { choosesAsFleet } from './cases.ts';

/** The tag that a policy chooses of those that a registry lists in this order; the message where it chooses none. */
function chosen(policy: PolicySpec | null | undefined, tags: readonly string[]): string {
  const choice = choose(parseSelection({ policy }), [...tags]);
  return choice.kind === 'chosen' ? choice.tag : choice.message;
}

const highest = (tags: readonly string[], range = '*'): string => chosen({ semver: { range } }, tags);

describe('a policy chooses the tag that Fleet chooses', () => {
  it("Fleet's own test: of a, b and c, asc in any case gives a, and desc c", () => {
    for (const [order, want] of [
      ['asc', 'a'],
      ['ASC', 'a'],
      ['desc', 'c'],
      ['DESC', 'c'],
    ] as const) {
      assert.equal(chosen({ alphabetical: { order } }, ['a', 'b', 'c']), want);
    }
  });

  it('no policy, and an empty one, is the highest version that is no pre-release', () => {
    choosesAsFleet('none');
    const tags = ['1.0.0', '2.0.0', 'latest', '3.0.0-rc1'];
    for (const policy of [undefined, null, { semver: null, alphabetical: null }])
      assert.equal(chosen(policy, tags), '2.0.0');
  });

  it('of semver and alphabetical at once, as the example of Fleet has them, semver counts alone', () => {
    const policy = { semver: { range: '*' }, alphabetical: { order: 'asc' } };
    assert.equal(chosen(policy, ['0.1.0', '1.0.0', 'a', 'z']), '1.0.0');
    assert.equal(chosen(policy, ['a', 'b']), 'no available version matching *');
  });

  it('of equal versions the first of the list wins, in the spelling of the tag', () => {
    choosesAsFleet('tie v first', 'tie partial first', 'exact v');
    assert.equal(highest(['1.2.0', 'v1.2.0']), '1.2.0');
    assert.equal(highest(['v1.2', '1.2.0', '1.2']), 'v1.2');
  });

  it('a version may have a small v, one to three numbers, zeros in front and a pre-release; nothing else is one', () => {
    choosesAsFleet('partial beats', 'hex sha', 'calver 4 segments', 'huge int', 'release prefix');
    for (const tag of ['latest', 'V9.0.0', 'release-9.0.0', '9.0.0.0', '9.0.0_1', '99999999999999999999'])
      assert.equal(highest([tag, '1.0.0']), '1.0.0', tag);
    for (const tag of ['v2', '2', '02.0.0', '2.0.0+build']) assert.equal(highest([tag, '1.0.0']), tag);
  });

  it('a number alone, such as a date or a commit id of digits, is a major version and beats 1.2.3', () => {
    assert.equal(highest(['1.2.3', '20240101', 'a1b2c3d']), '20240101');
    choosesAsFleet('date int tag constrained');
  });

  it('a pre-release counts only where the range names one', () => {
    choosesAsFleet('>= 0.0.0-40', '*-0', 'calver dash >=0-0', 'alpine suffix incl');
    assert.equal(highest(['1.0.0', '1.1.0-rc.1']), '1.0.0');
    assert.equal(highest(['1.25.3', '1.26.0-alpine'], '>=1.0.0'), '1.25.3');
    assert.equal(highest(['2.0.0-rc.1']), 'no available version matching *');
  });

  it('pre-releases compare by their parts: rc.10 is above rc.9, but rc10 below rc9', () => {
    choosesAsFleet('pre alnum order');
    assert.equal(highest(['1.0.0-rc.9', '1.0.0-rc.10'], '>=1.0.0-0'), '1.0.0-rc.10');
  });

  it('a range has the syntax of Masterminds: commas and spaces, double bars, ~ ^ - x * and !=', () => {
    choosesAsFleet('~1.2', '^0.2.3', 'comma and', '!=', 'exact v');
    const tags = ['1.0.0', '1.4.0', '2.5.0', '3.0.0'];
    for (const [range, want] of [
      ['>=1.0 <2.0', '1.4.0'],
      ['1.x || 2.x', '2.5.0'],
      ['1.0.0 - 2.9.9', '2.5.0'],
      ['2.*', '2.5.0'],
      ['!=3.0.0, <=3', '2.5.0'],
    ] as const) {
      assert.equal(highest(tags, range), want, range);
    }
  });

  it('says in the words of Fleet that there is no tag, none in the range, or no range', () => {
    choosesAsFleet('no tags', 'no match', 'empty range');
    assert.throws(
      () => parseSelection({ policy: { semver: { range: 'newest' } } }),
      (error) => error instanceof PolicyError && error.message.startsWith('improper constraint: "newest"'),
    );
  });

  it('alphabetical: no order and desc in any case is the greatest, anything else the smallest', () => {
    choosesAsFleet('alpha empty order', 'alpha desc', 'alpha bogus', 'alpha asc dates latest');
    for (const order of ['asc', 'descending', ' desc', 'newest'])
      assert.equal(chosen({ alphabetical: { order } }, ['b', 'a', 'c']), 'a', order);
    for (const order of [undefined, null, 'DeSc'])
      assert.equal(chosen({ alphabetical: { order } }, ['b', 'a', 'c']), 'c');
  });

  it('alphabetical: all tags count, in the order of their bytes', () => {
    choosesAsFleet('alpha asc nums', 'alpha desc case');
    assert.equal(chosen({ alphabetical: {} }, ['1.0.0', 'latest', '2.0.0']), 'latest');
  });
});
