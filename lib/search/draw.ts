import type { SearchRange } from '../../contracts/search-space.ts';

/** Digits of a drawn number: more say nothing, and fewer make equal what only rounding tells apart. */
const DIGITS = 4;

/** The value of a range at `u` in [0, 1). */
export function drawFrom(range: SearchRange, u: number): number | string {
  switch (range.kind) {
    case 'choice':
      return range.values[Math.floor(u * range.values.length)] as number | string;
    case 'int':
      return range.low + Math.floor(u * (range.high - range.low + 1));
    case 'uniform':
      return rounded(range.low + u * (range.high - range.low), range);
    case 'logUniform':
      return rounded(range.low * Math.exp(u * Math.log(range.high / range.low)), range);
  }
}

/** Whether a draw could give this value. */
export function isWithin(range: SearchRange, value: unknown): value is number | string {
  if (range.kind === 'choice') return (range.values as readonly unknown[]).includes(value);
  if (typeof value !== 'number' || (range.kind === 'int' && !Number.isInteger(value))) return false;
  return value >= range.low && value <= range.high;
}

function rounded(value: number, { low, high }: { low: number; high: number }): number {
  return Math.min(high, Math.max(low, Number(value.toPrecision(DIGITS))));
}
