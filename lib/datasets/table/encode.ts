import type { PreparedColumn } from '../../../contracts/prepared-data.ts';

/** Entries that a column becomes for the network. */
export function entriesOf(column: PreparedColumn): number {
  switch (column.kind) {
    case 'numeric':
      return 1;
    case 'boolean':
      return column.nullable ? 2 : 1;
    case 'categorical':
      return column.categories.length + (column.nullable ? 1 : 0);
  }
}

/** Entries of a whole row. */
export function encodedSize(columns: readonly PreparedColumn[]): number {
  return columns.reduce((sum, column) => sum + entriesOf(column), 0);
}

/**
 * Writes one stored row as the network sees it: missing numbers replaced, booleans as 0 or 1, categories one-hot, a
 * missing boolean or category as a category of its own. The exported graph does the same to named inputs.
 *
 * @param row one number a column
 * @param to `encodedSize` entries from `offset` on
 */
export function encodeRow(
  columns: readonly PreparedColumn[],
  row: ArrayLike<number>,
  to: Float32Array,
  offset: number,
): void {
  let at = offset;
  for (const [index, column] of columns.entries()) {
    const value = row[index] as number;
    const size = entriesOf(column);
    to.fill(0, at, at + size);
    if (column.kind === 'numeric') to[at] = Number.isNaN(value) ? (column.imputed ?? Number.NaN) : value;
    else if (Number.isNaN(value)) to[at + size - 1] = 1;
    else if (column.kind === 'boolean') to[at] = value;
    else if (value >= 0) to[at + value] = 1;
    at += size;
  }
}
