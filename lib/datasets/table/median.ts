/** Columns whose counters are in memory at a time. */
const GROUP = 32;
const BINS = 1 << 16;

/** The rows of a table, anew at each call. */
export type Rows = () => AsyncIterable<Float32Array>;

/**
 * Medians of some columns over the values that are no NaN, of an even number the mean of the two in the middle. Exact,
 * in memory that does not depend on the number of rows: a radix selection over the bits of float32, whose order is that
 * of the numbers once the sign is turned; first the upper 16 bits are counted, then the lower ones where it matters.
 *
 * @returns undefined for a column without any value
 */
export async function medians(rows: Rows, columns: readonly number[]): Promise<(number | undefined)[]> {
  const found: (number | undefined)[] = [];
  for (let begin = 0; begin < columns.length; begin += GROUP) {
    found.push(...(await groupMedians(rows, columns.slice(begin, begin + GROUP))));
  }
  return found;
}

async function groupMedians(rows: Rows, columns: readonly number[]): Promise<(number | undefined)[]> {
  const upper = columns.map(() => new Float64Array(BINS));
  for await (const row of rows()) {
    columns.forEach((column, i) => {
      const value = row[column] as number;
      if (!Number.isNaN(value)) (upper[i] as Float64Array)[orderOf(value) >>> 16]! += 1;
    });
  }
  const wanted = upper.map((bins) => {
    const count = bins.reduce((sum, n) => sum + n, 0);
    return count === 0 ? [] : [select(bins, (count - 1) >> 1), select(bins, count >> 1)];
  });
  const lower = wanted.map((places) => places.map(() => new Float64Array(BINS)));
  for await (const row of rows()) {
    columns.forEach((column, i) => {
      const value = row[column] as number;
      if (Number.isNaN(value)) return;
      const order = orderOf(value);
      wanted[i]?.forEach(({ bin }, place) => {
        if (bin === order >>> 16) (lower[i]?.[place] as Float64Array)[order & 0xffff]! += 1;
      });
    });
  }
  return wanted.map((places, i) => {
    if (places.length === 0) return undefined;
    const values = places.map(({ bin, rest }, place) => {
      const low = select(lower[i]?.[place] as Float64Array, rest).bin;
      return valueOf(((bin << 16) | low) >>> 0);
    });
    return Math.fround(((values[0] ?? 0) + (values[1] ?? 0)) / 2);
  });
}

/** The bin of the k-th entry (from 0), and its number within that bin. */
function select(bins: Float64Array, k: number): { bin: number; rest: number } {
  let rest = k;
  let bin = 0;
  while (rest >= (bins[bin] ?? Infinity)) {
    rest -= bins[bin] ?? 0;
    bin += 1;
  }
  return { bin, rest };
}

const scratch = new DataView(new ArrayBuffer(4));

/** Unsigned integers in the order of the floats. */
function orderOf(value: number): number {
  scratch.setFloat32(0, value);
  const bits = scratch.getUint32(0);
  return (bits & 0x80000000 ? ~bits : bits | 0x80000000) >>> 0;
}

function valueOf(order: number): number {
  scratch.setUint32(0, order & 0x80000000 ? order ^ 0x80000000 : ~order >>> 0);
  return scratch.getFloat32(0);
}
