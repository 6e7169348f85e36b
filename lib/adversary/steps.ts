import type { Ball } from './ball.ts';

/** Numbers uniform in [0, 1). */
export type Uniform = () => number;

/** The sample at `row` of a batch of samples of `size` values each, sharing its memory. */
function rowOf(values: Float32Array, row: number, size: number): Float32Array {
  return values.subarray(row * size, (row + 1) * size);
}

/** Puts the sample at `row` at a point of the ball, uniform in each value, and back into the range. */
export function randomStart(
  x: Float32Array,
  ball: Ball,
  { row, size, uniform }: { readonly row: number; readonly size: number; readonly uniform: Uniform },
): void {
  const [target, lower, upper] = [x, ball.lower, ball.upper].map((values) => rowOf(values, row, size)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  for (let i = 0; i < size; i += 1) {
    const moved = (target[i] as number) + (2 * uniform() - 1) * ball.radius;
    target[i] = clamp(moved, lower[i] as number, upper[i] as number);
  }
}

/** Moves the sample at `row` by `length` along the sign of the gradient, entry by entry, and back into the ball. */
export function ascend(
  x: Float32Array,
  gradient: Float32Array,
  ball: Ball,
  { row, size, length }: { readonly row: number; readonly size: number; readonly length: number },
): void {
  for (let i = row * size; i < (row + 1) * size; i += 1) {
    const moved = (x[i] as number) + length * Math.sign(gradient[i] as number);
    x[i] = clamp(moved, ball.lower[i] as number, ball.upper[i] as number);
  }
}

function clamp(value: number, low: number, high: number): number {
  return value < low ? low : value > high ? high : value;
}
