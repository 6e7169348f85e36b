/** Spellings of "no value" that are known without being told, besides the empty cell. */
export const MISSING = ['NA', 'N/A', 'NaN', 'nan', 'null', 'NULL', '?'] as const;

const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;

/** A decimal number with a point, finite in double precision. */
export function numberOf(cell: string): number | undefined {
  if (!NUMBER.test(cell)) return undefined;
  const value = Number(cell);
  return Number.isFinite(value) ? value : undefined;
}

const DAY_FIRST = /^\d{1,2}[./-]\d{1,2}[./-]\d{2,4}(?:[ T]\d{1,2}:\d{2}.*)?$/;
const YEAR_FIRST = /^\d{4}[./-]\d{1,2}[./-]\d{1,2}(?:[ T]\d{1,2}:\d{2}.*)?$/;
const TIME = /^\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?$/;

export function isDate(cell: string): boolean {
  return YEAR_FIRST.test(cell) || DAY_FIRST.test(cell) || TIME.test(cell);
}

/** Pairs that mean yes and no, in lower case. */
const SPELLINGS: readonly (readonly [truthy: string, falsy: string])[] = [
  ['true', 'false'],
  ['yes', 'no'],
  ['y', 'n'],
  ['t', 'f'],
  ['on', 'off'],
  ['1', '0'],
];

/** Which of two values means yes, where they are a known pair. */
export function booleanSpelling(values: readonly string[]): { truthy: string; falsy: string } | undefined {
  const [a, b, ...more] = values;
  if (a === undefined || b === undefined || more.length > 0) return undefined;
  for (const [yes, no] of SPELLINGS) {
    if (a.toLowerCase() === yes && b.toLowerCase() === no) return { truthy: a, falsy: b };
    if (b.toLowerCase() === yes && a.toLowerCase() === no) return { truthy: b, falsy: a };
  }
  return undefined;
}
