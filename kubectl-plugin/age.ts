const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/**
 * A time gone by, as kubectl writes ages: `42s`, `5m10s`, `3h`, `12d`, `2y30d`. One that has yet to come is `<invalid>`, but for
 * the second by which clocks may differ. Follows `HumanDuration` of k8s.io/apimachinery/pkg/util/duration.
 */
export function age(milliseconds: number): string {
  if (milliseconds <= -2 * SECOND) return '<invalid>';
  if (milliseconds < 2 * MINUTE) return `${Math.max(0, Math.floor(milliseconds / SECOND))}s`;
  if (milliseconds < 10 * MINUTE) return two(milliseconds, [MINUTE, 'm'], [SECOND, 's']);
  if (milliseconds < 3 * HOUR) return `${Math.floor(milliseconds / MINUTE)}m`;
  if (milliseconds < 8 * HOUR) return two(milliseconds, [HOUR, 'h'], [MINUTE, 'm']);
  if (milliseconds < 2 * DAY) return `${Math.floor(milliseconds / HOUR)}h`;
  if (milliseconds < 8 * DAY) return two(milliseconds, [DAY, 'd'], [HOUR, 'h']);
  if (milliseconds < 2 * YEAR) return `${Math.floor(milliseconds / DAY)}d`;
  if (milliseconds < 8 * YEAR) return two(milliseconds, [YEAR, 'y'], [DAY, 'd']);
  return `${Math.floor(milliseconds / YEAR)}y`;
}

type Unit = readonly [milliseconds: number, letter: string];

function two(milliseconds: number, [large, letter]: Unit, [small, smallLetter]: Unit): string {
  const rest = Math.floor((milliseconds % large) / small);
  return `${Math.floor(milliseconds / large)}${letter}${rest === 0 ? '' : `${rest}${smallLetter}`}`;
}
