export interface Affine {
  readonly kind: 'affine';
  readonly scale: number[];
  readonly offset: number[];
}

/**
 * Zero mean and unit variance as x' = x * scale + offset, one pair for each entry of the last axis (a channel of an
 * image, a column of a table); the variance is the population's. A constant entry keeps the scale 1. Values are rounded
 * to float32, so that every consumer, in whatever precision it holds them, multiplies by the same numbers.
 *
 * @param x Samples of the training split only, row-major.
 * @param entries Size of the last axis.
 */
export function fitStandardisation(x: Uint8Array | Float32Array, entries: number): Affine {
  const scale: number[] = [];
  const offset: number[] = [];
  for (let entry = 0; entry < entries; entry++) {
    const { mean, deviation } = moments(x, entry, entries);
    const factor = deviation > 0 ? 1 / deviation : 1;
    scale.push(Math.fround(factor));
    offset.push(Math.fround(-mean * factor));
  }
  return { kind: 'affine', scale, offset };
}

/** Two passes in double precision: the sum of squares alone would cancel for large means. */
function moments(x: Uint8Array | Float32Array, first: number, step: number): { mean: number; deviation: number } {
  const count = x.length / step;
  let sum = 0;
  for (let i = first; i < x.length; i += step) sum += x[i] ?? 0;
  const mean = sum / count;
  let squares = 0;
  for (let i = first; i < x.length; i += step) squares += ((x[i] ?? 0) - mean) ** 2;
  return { mean, deviation: Math.sqrt(squares / count) };
}
