import { ApiError } from '../../errors.ts';

/**
 * How many elements a tensor of this shape has.
 * @throws {ApiError} `TENSOR_INVALID` where the graph takes another shape, or a dimension is 0
 */
export function lengthOf(shape: readonly number[], expected: readonly number[], field: string): number {
  if (!hasShape(shape, expected)) {
    const message = `The shape is [${shape.join(', ')}], the model takes [${expected.join(', ')}].`;
    throw new ApiError('TENSOR_INVALID', message, { field });
  }
  const length = shape.reduce((product, size) => product * size, 1);
  if (length < 1 || !Number.isSafeInteger(length)) {
    throw new ApiError('TENSOR_INVALID', 'Every dimension must be at least 1.', { field });
  }
  return length;
}

/** Whether a tensor has a shape; -1 stands for any size. */
export function hasShape(shape: readonly number[], expected: readonly number[]): boolean {
  return shape.length === expected.length && expected.every((size, axis) => size === -1 || size === shape[axis]);
}

/**
 * The elements in a row, once there are as many as the shape says: a small body cannot ask for a large tensor.
 * @throws {ApiError} `TENSOR_INVALID`
 */
export function flatten(
  data: readonly unknown[],
  shape: readonly number[],
  length: number,
  field: string,
): readonly unknown[] {
  const nested = Array.isArray(data[0]);
  const count = nested ? countNested(data, shape, 0, field) : data.length;
  if (count !== length) {
    const message = `data has ${String(count)} elements, the shape says ${String(length)}.`;
    throw new ApiError('TENSOR_INVALID', message, { field });
  }
  return nested ? data.flat(shape.length - 1) : data;
}

/** Counts the elements of nested data and checks that each level has the length that `shape` says. */
function countNested(data: readonly unknown[], shape: readonly number[], axis: number, field: string): number {
  if (data.length !== shape[axis]) {
    const message = `Axis ${String(axis)} has ${String(data.length)} entries, the shape says ${String(shape[axis])}.`;
    throw new ApiError('TENSOR_INVALID', message, { field });
  }
  if (axis === shape.length - 1) return data.length;
  let count = 0;
  for (const [index, row] of data.entries()) {
    const at = `${field}[${String(index)}]`;
    if (!Array.isArray(row)) {
      throw new ApiError('TENSOR_INVALID', 'The nesting is not as deep as the shape.', { field: at });
    }
    count += countNested(row, shape, axis + 1, at);
  }
  return count;
}
