import { compareNumbers, compareVersions, type Parts, type Version } from './version.ts';

export type Operator = '=' | '!=' | '>' | '<' | '>=' | '<=' | '~' | '^';

/** Says of a version whether one comparator lets it through. */
export type Test = (version: Version) => boolean;

/**
 * What one comparator of a range means, such as `~1.2`.
 *
 * `bound` is the version with zeros for what was not written; `given` says how many of its numbers were, counted up to the first
 * wildcard: 2 in `1.2` and `1.2.x`, 0 in `*`. The meanings are those of Masterminds/semver v3.5.0, its oddities included:
 * `^*` is 0.0.0 and its pre-releases only, `<=*` all of 0.0, `>*` all but 0.0.0, and `~0.0.0` everything.
 */
export function testFor(operator: Operator, bound: Version, given: 0 | Parts): Test {
  switch (operator) {
    case '>=':
      return (version) => compareVersions(version, bound) >= 0;
    case '<':
      return (version) => compareVersions(version, bound) < 0;
    case '>':
      return greaterThan(bound, given);
    case '<=':
      return atMost(bound, given);
    case '!=':
      return not(bound, given);
    case '^':
      return alike(bound, caretDepth(bound, given));
    case '~':
      return alike(bound, tildeDepth(bound, given));
    case '=':
      return given === 3 ? (version) => compareVersions(version, bound) === 0 : testFor('~', bound, given);
  }
}

/** `>1.2` begins at 1.3.0, not at 1.2.1: a partial bound stands for all versions under it. */
function greaterThan(bound: Version, given: 0 | Parts): Test {
  if (given === 1 || given === 2) return (version) => compareNumbers(version, bound, given) > 0;
  return (version) => compareVersions(version, bound) > 0;
}

/** `<=1.2` ends with the last 1.2.x, for the same reason. */
function atMost(bound: Version, given: 0 | Parts): Test {
  if (given === 3) return (version) => compareVersions(version, bound) <= 0;
  return (version) => compareNumbers(version, bound, given === 1 ? 1 : 2) <= 0;
}

/** `!=1` excludes all of 1; `!=1.2` those of 1.2 that have the very pre-release of the bound, which is mostly none. */
function not(bound: Version, given: 0 | Parts): Test {
  if (given === 1) return (version) => compareNumbers(version, bound, 1) !== 0;
  if (given === 2) {
    return (version) => compareNumbers(version, bound, 2) !== 0 || version.prerelease !== bound.prerelease;
  }
  return (version) => compareVersions(version, bound) !== 0;
}

/** At least the bound, and the same in the first `depth` numbers. */
function alike(bound: Version, depth: 0 | Parts): Test {
  return (version) => compareNumbers(version, bound, depth) === 0 && compareVersions(version, bound) >= 0;
}

function tildeDepth({ major, minor, patch }: Version, given: 0 | Parts): 0 | Parts {
  if (given < 3) return given;
  return major === 0 && minor === 0 && patch === 0 ? 0 : 2;
}

/** Up to the first number that is not zero, or the last one written; but all three where none was. */
function caretDepth({ major, minor }: Version, given: 0 | Parts): Parts {
  if (major !== 0 || given === 1) return 1;
  return minor !== 0 || given === 2 ? 2 : 3;
}
