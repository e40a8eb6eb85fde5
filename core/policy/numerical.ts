import { oneLine } from '../one-line.ts';
import type { Ranking } from './ranking.ts';
import type { NumericalPolicy } from './selection.ts';

/** A number of any length: exact, where a double would take two builds of 17 digits for one. */
interface Decimal {
  readonly isNegative: boolean;
  /** Without leading zeros. */
  readonly whole: string;
  /** Without trailing zeros. */
  readonly fraction: string;
}

const DECIMAL = /^([+-]?)(\d+)(?:\.(\d+))?$/;

/** The greatest or smallest number; what is none, such as `latest`, is passed over. */
export function numerical({ order }: NumericalPolicy): Ranking<Decimal> {
  return {
    read: parseDecimal,
    compare: order === 'asc' ? compareDecimals : (a, b) => compareDecimals(b, a),
    admits: () => true,
    refusal: (text) => ({ verdict: 'NotNumber', message: `${oneLine(text)} is not a number` }),
    praise: order === 'asc' ? 'the greatest number' : 'the smallest number',
  };
}

function parseDecimal(text: string): Decimal | undefined {
  const [, sign, digits, decimals = ''] = DECIMAL.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const whole = digits.replace(/^0+/, '');
  const fraction = withoutTrailingZeros(decimals);
  return { isNegative: sign === '-' && whole + fraction !== '', whole, fraction };
}

// The expression /0+$/ would look at each run of zeros anew.
function withoutTrailingZeros(digits: string): string {
  let end = digits.length;
  while (digits[end - 1] === '0') end -= 1;
  return digits.slice(0, end);
}

function compareDecimals(a: Decimal, b: Decimal): number {
  if (a.isNegative !== b.isNegative) return a.isNegative ? -1 : 1;
  return a.isNegative ? compareSizes(b, a) : compareSizes(a, b);
}

// Of digits alone, the longer is the greater, and of equally long ones the order of text is that of numbers.
function compareSizes(a: Decimal, b: Decimal): number {
  return (
    a.whole.length - b.whole.length || compareText(a.whole, b.whole) || compareText(a.fraction, b.fraction)
  );
}

function compareText(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
