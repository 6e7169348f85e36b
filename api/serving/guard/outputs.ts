import { harden, type Hardening } from '../../../lib/misuse/index.ts';
import type { TensorData } from '../tensors.ts';

type Results = Readonly<Record<string, TensorData>>;

/** Takes from every floating-point output what is not to be told. */
export function hardenResults(results: Results, how: Hardening): Results {
  return Object.fromEntries(
    Object.entries(results).map(([name, tensor]) => {
      const { type, data, dims } = tensor;
      if (!(data instanceof Float32Array || data instanceof Float64Array)) return [name, tensor];
      const width = dims.length > 1 ? (dims.at(-1) ?? 1) : 1;
      return [name, { type, data: harden(data, width, how), dims }];
    }),
  );
}

/** The class that each row was given: what the model calls it, or its largest number; 0 where there are no classes. */
export function predictedClasses(results: Results, rows: number): Int32Array {
  const label = Object.values(results).find(({ type, data }) => type === 'int64' && data.length === rows);
  if (label !== undefined) return Int32Array.from(label.data as BigInt64Array, Number);
  const classes = new Int32Array(rows);
  const scores = Object.values(results).find(
    ({ type, dims }) => type.startsWith('float') && dims.length > 1 && (dims.at(-1) ?? 1) > 1,
  );
  if (scores === undefined) return classes;
  const width = scores.dims.at(-1) ?? 1;
  const data = scores.data as Float32Array;
  for (let row = 0; row < rows; row += 1) {
    let best = 0;
    for (let index = 1; index < width; index += 1) {
      if ((data[row * width + index] ?? 0) > (data[row * width + best] ?? 0)) best = index;
    }
    classes[row] = best;
  }
  return classes;
}
