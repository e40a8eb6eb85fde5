import { oneLine } from '../one-line.ts';
import type { Ranking } from './ranking.ts';
import type { DigestPolicy } from './selection.ts';

/** One tag, whatever it names. */
export function digest({ tag }: DigestPolicy): Ranking<string> {
  return {
    read: (_text, candidate) => (candidate === tag ? candidate : undefined),
    compare: () => 0,
    admits: () => true,
    refusal: () => ({ verdict: 'NotFollowed', message: `${oneLine(tag)} is followed, and no other` }),
    praise: 'the tag that is followed',
  };
}
