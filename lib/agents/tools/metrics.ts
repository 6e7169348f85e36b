import type { VersionRow } from '../../clients/index.ts';

/** Decimals that say something about a test set of ten thousand samples. */
const DECIMALS = 4;

/** To four decimals: the rest is noise that a model would have to copy. */
export function rounded(metrics: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(metrics).map(([name, value]) => [name, Number(value.toFixed(DECIMALS))]));
}

export function describeVersion(row: VersionRow): VersionRow {
  return { ...row, metrics: rounded(row.metrics) };
}
