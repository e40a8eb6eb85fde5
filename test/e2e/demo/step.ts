import { styleText } from 'node:util';

/** What the demo shows is not what it should be. */
export class UnexpectedOutcome extends Error {}

/**
 * Carries out one step of the demo: a line of what is done, then what came of it.
 *
 * @param tell what to show of what `work` gave, a line or several
 * @throws what `work` throws, which ends the demo
 */
export async function step<T>(
  what: string,
  work: () => Promise<T>,
  tell: (value: T) => string = String,
): Promise<T> {
  console.log(`\n${styleText('bold', `▸ ${what}`)}`);
  const begun = performance.now();
  const value = await work();
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  const [first = '', ...rest] = tell(value).trimEnd().split('\n');
  console.log(`  ${styleText('green', '✔')} ${first} ${styleText('dim', `(${seconds} s)`)}`);
  for (const line of rest) console.log(`    ${line}`);
  return value;
}

/** @throws {UnexpectedOutcome} when what is so is not what should be */
export function expect(what: string, is: string, shouldBe: string): void {
  if (is !== shouldBe) throw new UnexpectedOutcome(`${what} should be ${shouldBe}, and is ${is}`);
}
