import { compareBytes } from './bytes.ts';
import type { Ranking } from './ranking.ts';
import type { AlphabeticalPolicy } from './selection.ts';

/** The greatest or smallest text in the order of bytes. */
export function alphabetical({ order }: AlphabeticalPolicy): Ranking<string> {
  return {
    read: (text) => text,
    compare: order === 'desc' ? compareBytes : (a, b) => compareBytes(b, a),
    admits: () => true,
    refusal: () => ({ verdict: 'NotMatched', message: 'is not considered' }),
    praise: order === 'desc' ? 'the greatest in byte order' : 'the smallest in byte order',
  };
}
