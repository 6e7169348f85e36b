import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { DatasetError } from './errors.ts';

export interface StratifiedSplit {
  /** Sample indices, ascending. */
  readonly train: Int32Array;
  readonly validation: Int32Array;
}

/**
 * Holds a share out of every class, so that both parts keep the class frequencies: class c gets its share rounded down,
 * what is missing to the rounded total goes to the largest remainders. Which samples are held out depends on nothing but
 * the labels, the share and the seed.
 *
 * @param labels Class index of each sample, 0..classes-1.
 * @throws DatasetError `DATASET_SPLIT_INVALID` where a class that occurs would be absent from either part.
 */
export function stratifiedSplit(o: {
  labels: Int32Array;
  classes: number;
  validationShare: number;
  seed: number;
}): StratifiedSplit {
  const members = groupByClass(o.labels, o.classes);
  const quota = allocate(
    members.map((indices) => indices.length),
    o.validationShare,
  );
  const random = xoroshiro128plus(o.seed);
  const held = new Uint8Array(o.labels.length);
  for (const [label, indices] of members.entries()) {
    const count = quota[label] ?? 0;
    if (indices.length > 0 && (count === 0 || count === indices.length)) {
      throw new DatasetError(
        'DATASET_SPLIT_INVALID',
        `a validation share of ${o.validationShare} takes ${count} of the ${indices.length} samples of class ${label}`,
        { field: 'validationShare' },
      );
    }
    // Fisher-Yates, only as far as needed.
    for (let i = 0; i < count; i++) {
      const j = uniformInt(random, i, indices.length - 1);
      const chosen = indices[j] ?? 0;
      indices[j] = indices[i] ?? 0;
      indices[i] = chosen;
      held[chosen] = 1;
    }
  }
  return { train: indicesWhere(held, 0), validation: indicesWhere(held, 1) };
}

function groupByClass(labels: Int32Array, classes: number): number[][] {
  const members = Array.from({ length: classes }, (): number[] => []);
  for (const [index, label] of labels.entries()) {
    const group = members[label];
    if (group === undefined) {
      throw new DatasetError('DATASET_SPLIT_INVALID', `sample ${index} has the label ${label} of ${classes} classes`, {
        field: 'labels',
      });
    }
    group.push(index);
  }
  return members;
}

/** Largest-remainder apportionment; of equal remainders the lower class wins. */
function allocate(sizes: readonly number[], share: number): number[] {
  const quota = sizes.map((size) => Math.floor(size * share));
  const total = Math.round(sizes.reduce((sum, size) => sum + size, 0) * share);
  const missing = total - quota.reduce((sum, count) => sum + count, 0);
  const remainder = (label: number): number => (sizes[label] ?? 0) * share - (quota[label] ?? 0);
  const order = sizes.map((_, label) => label).sort((a, b) => remainder(b) - remainder(a) || a - b);
  for (const label of order.slice(0, missing)) quota[label] = (quota[label] ?? 0) + 1;
  return quota;
}

function indicesWhere(flags: Uint8Array, value: number): Int32Array {
  const indices: number[] = [];
  for (const [index, flag] of flags.entries()) if (flag === value) indices.push(index);
  return Int32Array.from(indices);
}
