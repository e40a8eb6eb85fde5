import { compareVersions, parseVersion, type Version } from '../semver/version.ts';
import { compareBytes } from './bytes.ts';
import type { Ranking } from './ranking.ts';

interface Build {
  readonly created: number;
  readonly text: string;
  readonly tag: string;
  readonly version: Version | undefined;
}

/**
 * What was created last. Of builds of one moment the higher version is preferred, then the greater text, then the greater tag, so that the
 * order of the list has no say: reproducible builds often all bear the same time.
 *
 * @param created milliseconds since the epoch, by tag
 */
export function newest(created: ReadonlyMap<string, number>): Ranking<Build> {
  return {
    read(text, tag) {
      const time = created.get(tag);
      return time === undefined ? undefined : { created: time, text, tag, version: parseVersion(text) };
    },
    compare: (a, b) => a.created - b.created || compareBuilds(a, b),
    admits: () => true,
    refusal: () => ({ verdict: 'NoCreationTime', message: 'does not say when it was created' }),
    praise: 'created last',
  };
}

// A version before what is none, lest three tags be each preferred to the next.
function compareBuilds(a: Build, b: Build): number {
  const isVersion = Number(a.version !== undefined) - Number(b.version !== undefined);
  const order = a.version && b.version ? compareVersions(a.version, b.version) : isVersion;
  return order || compareBytes(a.text, b.text) || compareBytes(a.tag, b.tag);
}
