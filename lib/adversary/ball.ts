import { AdversaryError } from './errors.ts';

/** The values that an input may have. */
export interface ValueRange {
  readonly low: number;
  readonly high: number;
}

/**
 * The range of raw samples, which an attack may not leave. Only bytes have one by their type.
 *
 * @throws AdversaryError ATTACK_UNSUPPORTED
 */
export function rangeOf(dtype: 'uint8' | 'float32'): ValueRange {
  if (dtype === 'uint8') return { low: 0, high: 255 };
  throw new AdversaryError(
    'ATTACK_UNSUPPORTED',
    'samples of type float32 have no range that an ε could be a share of',
    {
      field: 'model',
    },
  );
}

/** The box that an adversarial example of each sample must stay in, entry by entry. */
export interface Ball {
  /** Radius, in units of the input. */
  readonly radius: number;
  readonly lower: Float32Array;
  readonly upper: Float32Array;
}

/**
 * All x' with |x' - x|∞ ≤ ε · (high - low) inside the range. The bounds are rounded inwards, so that no float32 between
 * them breaks the inequality in exact arithmetic.
 *
 * @param epsilon share of the range
 */
export function ballAround(x: Float32Array, epsilon: number, { low, high }: ValueRange): Ball {
  const radius = epsilon * (high - low);
  const lower = new Float32Array(x.length);
  const upper = new Float32Array(x.length);
  for (let i = 0; i < x.length; i += 1) {
    const value = x[i] as number;
    lower[i] = roundUp(Math.max(low, value - radius));
    upper[i] = roundDown(Math.min(high, value + radius));
  }
  return { radius, lower, upper };
}

/** The nearest float32 that is not above `value`. */
function roundDown(value: number): number {
  const nearest = Math.fround(value);
  return nearest <= value ? nearest : neighbour(nearest, -1);
}

/** The nearest float32 that is not below `value`. */
function roundUp(value: number): number {
  const nearest = Math.fround(value);
  return nearest >= value ? nearest : neighbour(nearest, 1);
}

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** The next float32 in a direction: neighbours have neighbouring bit patterns, counted away from zero. */
function neighbour(value: number, direction: 1 | -1): number {
  if (value === 0) return direction * 2 ** -149;
  float[0] = value;
  bits[0] = (bits[0] as number) + (value > 0 ? direction : -direction);
  return float[0];
}
