import { oneLine } from '../one-line.ts';
import { satisfies, satisfiesButForPrerelease } from '../semver/range.ts';
import { compareVersions, parseVersion, type Version } from '../semver/version.ts';
import { passed } from './pass.ts';
import type { Facts, Ranking } from './ranking.ts';
import type { Selection, SemverPolicy } from './selection.ts';

/** The highest version that the range allows. `1.2` and `v1.2.0` are equal. */
export function semver({ range, versions }: SemverPolicy): Ranking<Version> {
  return {
    read(text) {
      const version = parseVersion(text);
      return version === undefined || (versions === 'Strict' && version.parts < 3) ? undefined : version;
    },
    compare: compareVersions,
    admits: (version) => satisfies(range, version),
    refusal(text, _tag, version) {
      if (version === undefined) {
        return parseVersion(text) === undefined
          ? { verdict: 'NotVersion', message: `${oneLine(text)} is not a version` }
          : {
              verdict: 'PartialVersion',
              message: `${oneLine(text)} has not three numbers, which versions: Strict wants`,
            };
      }
      return satisfiesButForPrerelease(range, version)
        ? { verdict: 'PreRelease', message: `a pre-release, and ${range.text} names none` }
        : { verdict: 'OutOfRange', message: `not in ${range.text}` };
    },
    praise: `the highest version in ${range.text}`,
  };
}

/** A partial version that wins over full ones, such as a date or a commit id of digits alone, is seldom what was meant. */
export function partialVersionWarning(
  selection: Selection,
  { range }: SemverPolicy,
  tag: string,
  tags: readonly string[],
  { notImages }: Facts,
): string | undefined {
  const versionOf = (one: string): Version | undefined => parseVersion(passed(selection, one) ?? '');
  const version = versionOf(tag);
  if (version === undefined || version.parts === 3) return undefined;
  const isFull = (other: Version | undefined): boolean => other?.parts === 3 && satisfies(range, other);
  if (!tags.some((other) => isFull(versionOf(other)) && !notImages?.has(other))) return undefined;
  const { major, minor, patch } = version;
  return `${oneLine(tag)} counts as version ${major}.${minor}.${patch} and wins over full versions; versions: Strict passes over such tags`;
}
