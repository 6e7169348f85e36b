import type { PreparedColumn, PreparedManifest, RegressionTarget } from '../../../contracts/prepared-data.ts';
import type { TableColumn, TableTarget } from '../../../contracts/table.ts';
import { encodedSize, encodeRow, entriesOf } from './encode.ts';
import { medians } from './median.ts';
import type { Rows } from './median.ts';

export interface FittedTable {
  readonly columns: PreparedColumn[];
  readonly preprocessing: PreparedManifest['preprocessing'];
}

/**
 * Fits on the rows of the training split what a table's graph needs: the median of each number that may be missing, and
 * zero mean and unit variance of each number, imputed ones included. One-hot entries stay 0 and 1. Values are rounded to
 * float32, so that every consumer multiplies by the same numbers.
 *
 * @param rows stored rows of the training split
 */
export async function fitTable(rows: Rows, features: readonly TableColumn[]): Promise<FittedTable> {
  const nullable = [...features.keys()].filter((i) => features[i]?.kind === 'numeric' && features[i].nullable);
  const found = await medians(rows, nullable);
  const imputed = new Map(nullable.map((column, i) => [column, found[i] ?? 0]));
  const columns = features.map((feature, i) => prepared(feature, imputed.get(i)));
  const moments = Array.from({ length: encodedSize(columns) }, () => new Moments());
  const seen = features.map(() => new Moments());
  const encoded = new Float32Array(moments.length);
  for await (const row of rows()) {
    encodeRow(columns, row, encoded, 0);
    for (const [entry, value] of encoded.entries()) moments[entry]?.add(value);
    for (const [column, value] of row.entries()) if (!Number.isNaN(value)) seen[column]?.add(value);
  }
  const entries = columns.flatMap((column) => Array.from({ length: entriesOf(column) }, () => column.kind));
  const affine = moments.map((moment, entry) =>
    entries[entry] === 'numeric' ? moment.standardisation : { scale: 1, offset: 0 },
  );
  return {
    columns: columns.map((column, i) =>
      column.kind === 'numeric' && seen[i]?.range !== undefined ? { ...column, range: seen[i].range } : column,
    ),
    preprocessing: {
      kind: 'affine',
      scale: affine.map(({ scale }) => scale),
      offset: affine.map(({ offset }) => offset),
    },
  };
}

/** @param values targets of the training split */
export async function fitTarget(
  { name, ...target }: Extract<TableTarget, { task: 'regression' }>,
  values: AsyncIterable<Float32Array>,
): Promise<RegressionTarget> {
  const moments = new Moments();
  for await (const [value] of values) moments.add(value as number);
  const scale = moments.deviation > 0 ? Math.fround(moments.deviation) : 1;
  return { name, unit: target.unit, mean: Math.fround(moments.mean), scale };
}

function prepared(feature: TableColumn, imputed: number | undefined): PreparedColumn {
  const { name, nullable } = feature;
  switch (feature.kind) {
    case 'numeric':
      return { kind: 'numeric', name, integer: feature.integer, ...(imputed !== undefined && { imputed }) };
    case 'boolean':
      return { kind: 'boolean', name, truthy: feature.truthy, falsy: feature.falsy, nullable };
    case 'categorical':
      return { kind: 'categorical', name, categories: feature.categories, nullable };
  }
}

/**
 * Mean and population variance in one pass, without the cancellation of summed squares.
 *
 * @see Welford, "Note on a method for calculating corrected sums of squares and products", Technometrics 4, 1962
 */
class Moments {
  mean = 0;
  #count = 0;
  #squares = 0;
  #low = Infinity;
  #high = -Infinity;

  add(value: number): void {
    this.#count += 1;
    const difference = value - this.mean;
    this.mean += difference / this.#count;
    this.#squares += difference * (value - this.mean);
    this.#low = Math.min(this.#low, value);
    this.#high = Math.max(this.#high, value);
  }

  get deviation(): number {
    return Math.sqrt(this.#squares / this.#count);
  }

  get range(): [number, number] | undefined {
    return this.#count === 0 ? undefined : [shortest(this.#low), shortest(this.#high)];
  }

  /** A constant entry keeps the scale 1. */
  get standardisation(): { scale: number; offset: number } {
    const factor = this.deviation > 0 ? 1 / this.deviation : 1;
    return { scale: Math.fround(factor), offset: Math.fround(-this.mean * factor) };
  }
}

/** The shortest decimal number that is the same float32: 0.1, not 0.10000000149011612. */
function shortest(value: number): number {
  for (let digits = 6; digits < 9; digits += 1) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === value) return rounded;
  }
  return value;
}
