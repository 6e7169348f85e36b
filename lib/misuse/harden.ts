/** What is left of the numbers that a classifier gives. */
export interface Hardening {
  readonly labelsOnly?: boolean | undefined;
  readonly topK?: number | undefined;
  readonly decimals?: number | undefined;
  readonly temperature?: number | undefined;
}

/** Rows whose numbers differ from a distribution by more than this hold scores. */
const TOLERANCE = 1e-3;

/**
 * Takes from a classifier's answer what a thief could use: each number less is a query more that an extraction needs
 * (Tramèr et al., "Stealing Machine Learning Models via Prediction APIs", USENIX Security 2016, section 6).
 *
 * Temperature first, then what else is asked for. Scores that are no distribution become one (softmax) where labels
 * alone or the first classes are told. A single number, such as a regression's, is rounded and nothing else.
 *
 * @param values rows × width
 * @returns a new array
 */
export function harden(
  values: Float32Array | Float64Array,
  width: number,
  how: Hardening,
): Float32Array | Float64Array {
  const result = values.slice();
  const { labelsOnly = false, topK, temperature = 1 } = how;
  for (let start = 0; width > 1 && start + width <= result.length; start += width) {
    const row = result.subarray(start, start + width);
    // Before numbers that are almost alike become alike.
    const kept = labelsOnly ? 1 : (topK ?? width);
    const order = kept < width ? orderOf(row) : [];
    const distribution = isDistribution(row);
    if (distribution ? temperature !== 1 : temperature !== 1 || labelsOnly || topK !== undefined) {
      if (distribution) row.forEach((value, index) => (row[index] = Math.log(Math.max(value, 1e-38)) / temperature));
      else row.forEach((value, index) => (row[index] = value / temperature));
      if (distribution || labelsOnly || topK !== undefined) softmax(row);
    }
    for (const index of order.slice(kept)) row[index] = 0;
    if (labelsOnly) row[order[0] ?? 0] = 1;
  }
  const { decimals } = how;
  return decimals === undefined ? result : result.map((value) => rounded(value, decimals));
}

/** To the nearest number of so many decimals. */
export function rounded(value: number, decimals: number): number {
  const factor = 10 ** decimals;
  const result = Math.round(value * factor) / factor;
  return Number.isFinite(result) ? result : value;
}

/** What was done, for people: `temperature=2 top-k=3`. Empty where nothing is. */
export function describeHardening({ labelsOnly, topK, decimals, temperature }: Hardening): string {
  return [
    ...(temperature === undefined || temperature === 1 ? [] : [`temperature=${temperature}`]),
    ...(labelsOnly === true ? ['labels-only'] : topK === undefined ? [] : [`top-k=${topK}`]),
    ...(decimals === undefined ? [] : [`decimals=${decimals}`]),
  ].join(' ');
}

function isDistribution(row: Float32Array | Float64Array): boolean {
  let sum = 0;
  for (const value of row) {
    if (!(value >= 0)) return false;
    sum += value;
  }
  return Math.abs(sum - 1) <= TOLERANCE;
}

function softmax(row: Float32Array | Float64Array): void {
  let most = Number.NEGATIVE_INFINITY;
  for (const value of row) most = Math.max(most, value);
  let sum = 0;
  for (const [index, value] of row.entries()) {
    const power = Math.exp(value - most);
    row[index] = power;
    sum += power;
  }
  for (const [index, value] of row.entries()) row[index] = value / sum;
}

/** Indices by value, the largest first; of equal values the first one. */
function orderOf(row: Float32Array | Float64Array): number[] {
  return Array.from(row.keys()).sort((a, b) => (row[b] ?? 0) - (row[a] ?? 0) || a - b);
}
