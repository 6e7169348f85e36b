import type { Feeds } from './runtime/session.ts';
import type { TensorData, TypedArray } from './tensors.ts';

/** Entries of the first axis over all inputs: what a call costs. */
export function rowsOf(feeds: Feeds): number {
  let rows = 1;
  for (const name in feeds) rows = Math.max(rows, feeds[name]?.dims[0] ?? 1);
  return rows;
}

/** Whether inputs of one model can be run in one call: types and shapes but for the first axis are the same. */
export function haveOneShape(feeds: Feeds, others: Feeds): boolean {
  for (const name in feeds) {
    const [one, other] = [feeds[name], others[name]];
    if (one === undefined || other === undefined || one.type !== other.type) return false;
    if (one.dims.length !== other.dims.length) return false;
    for (let axis = 1; axis < one.dims.length; axis += 1) if (one.dims[axis] !== other.dims[axis]) return false;
  }
  return true;
}

/** Inputs of several requests of one shape, one after the other along the first axis. */
export function joined(requests: readonly Feeds[]): Feeds {
  const [first] = requests;
  const names = Object.keys(first ?? {});
  return Object.fromEntries(names.map((name) => [name, join(requests.flatMap((feeds) => feeds[name] ?? []))]));
}

function join(tensors: readonly TensorData[]): TensorData {
  const [first] = tensors;
  if (first === undefined) throw new RangeError('nothing to join');
  const rows = tensors.reduce((sum, { dims }) => sum + (dims[0] ?? 1), 0);
  const dims = [rows, ...first.dims.slice(1)];
  const { data: model } = first;
  if (!ArrayBuffer.isView(model)) return { ...first, dims, data: tensors.flatMap(({ data }) => data as string[]) };
  const length = tensors.reduce((sum, { data }) => sum + data.length, 0);
  // Of the class of its parts, which all have the same element type.
  const data = new (model.constructor as new (length: number) => Float32Array)(length);
  let at = 0;
  for (const part of tensors) {
    data.set(part.data as Float32Array, at);
    at += part.data.length;
  }
  return { type: first.type, data, dims };
}

/**
 * What each request of a batch gets of its outputs.
 * @param rows of each request
 * @throws RangeError where an output does not have one entry a row
 */
export function split(
  outputs: Readonly<Record<string, TensorData>>,
  rows: readonly number[],
): Record<string, TensorData>[] {
  const total = rows.reduce((sum, count) => sum + count, 0);
  const parts = rows.map((): Record<string, TensorData> => ({}));
  for (const [name, { type, data, dims }] of Object.entries(outputs)) {
    if (dims[0] !== total) throw new RangeError(`The output ${name} does not have one entry a row.`);
    const each = data.length / total;
    let at = 0;
    for (const [index, count] of rows.entries()) {
      const own = part(data, at * each, (at + count) * each);
      (parts[index] ??= {})[name] = { type, data: own, dims: [count, ...dims.slice(1)] };
      at += count;
    }
  }
  return parts;
}

function part(data: TensorData['data'], start: number, end: number): TypedArray | readonly string[] {
  return ArrayBuffer.isView(data) ? data.subarray(start, end) : data.slice(start, end);
}
