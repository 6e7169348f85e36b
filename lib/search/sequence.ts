import { createHash } from 'node:crypto';

/**
 * Point `index` of a quasi-random sequence in the unit cube: the additive recurrence whose step is made of the powers of
 * the generalised golden ratio (Roberts, 2018, "The unreasonable effectiveness of quasirandom sequences"), moved by an
 * offset for each axis (Cranley and Patterson, 1976) that derives from the seed. Any number of first points covers the
 * cube evenly, so that a search may end early.
 *
 * @param axes names; an axis keeps its offset whatever the others are
 * @returns one number in [0, 1) for each axis
 */
export function pointOf(seed: number, index: number, axes: readonly string[]): number[] {
  const ratio = goldenRatio(axes.length);
  return axes.map((axis, dimension) => fraction(offset(seed, axis) + (index + 1) * ratio ** -(dimension + 1)));
}

/** The positive root of x^(d+1) = x + 1, by fixed-point iteration. */
function goldenRatio(dimensions: number): number {
  let root = 2;
  for (let i = 0; i < 64; i += 1) root = (1 + root) ** (1 / (dimensions + 1));
  return root;
}

function offset(seed: number, axis: string): number {
  const digest = createHash('sha256')
    .update(JSON.stringify(['search', seed, axis]))
    .digest();
  return digest.readUInt32LE(0) / 2 ** 32;
}

function fraction(value: number): number {
  return value - Math.floor(value);
}
