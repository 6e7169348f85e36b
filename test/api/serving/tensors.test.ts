import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Datatype, InferInput } from '../../../contracts/inference.ts';
import { ApiError } from '../../../api/errors.ts';
import { toOutput, toTensor } from '../../../api/serving/tensors.ts';

const input = (datatype: Datatype, data: unknown[], shape = [data.length]): InferInput => ({
  name: 'x',
  datatype,
  shape,
  data,
});
const expected = (datatype: Datatype, shape = [-1]) => ({ name: 'x', datatype, shape });
const convert = (given: InferInput, wanted = expected(given.datatype)) => toTensor(given, wanted, 'body.inputs[0]');

function refusal(work: () => unknown): { code?: string; field?: string } {
  try {
    work();
  } catch (error) {
    if (error instanceof ApiError) return { code: error.code, field: error.field };
    throw error;
  }
  return {};
}

/** Nests flat data by `shape`. */
function nest(data: readonly unknown[], [size = 1, ...rest]: readonly number[]): unknown[] {
  if (rest.length === 0) return [...data];
  const step = data.length / size;
  return Array.from({ length: size }, (_, i) => nest(data.slice(i * step, (i + 1) * step), rest));
}

describe('toTensor', () => {
  it.each([
    ['UINT8', Uint8Array, [0, 255]],
    ['UINT16', Uint16Array, [0, 65_535]],
    ['UINT32', Uint32Array, [0, 4_294_967_295]],
    ['INT8', Int8Array, [-128, 127]],
    ['INT16', Int16Array, [-32_768, 32_767]],
    ['INT32', Int32Array, [-2_147_483_648, 2_147_483_647]],
    ['FP32', Float32Array, [-0.5, 0.25]],
    ['FP64', Float64Array, [-1e300, 1e300]],
  ] as const)('reads the ends of the range of %s', (datatype, array, data) => {
    expect(convert(input(datatype, [...data])).data).toEqual(array.from(data));
  });

  it('reads 64-bit integers as far as JSON holds them exactly', () => {
    const data = [Number.MIN_SAFE_INTEGER, 0, Number.MAX_SAFE_INTEGER];
    expect(convert(input('INT64', data)).data).toEqual(BigInt64Array.from(data.map(BigInt)));
    expect(refusal(() => convert(input('INT64', [2 ** 53])))).toEqual({
      code: 'TENSOR_INVALID',
      field: 'body.inputs[0].data[0]',
    });
  });

  it.each([
    ['UINT8', 'FP32', [0, 255], Float32Array.of(0, 255)],
    ['FP64', 'FP32', [0.1], Float32Array.of(0.1)],
    ['FP32', 'INT64', [3], BigInt64Array.of(3n)],
    ['BOOL', 'FP32', [true, false], Float32Array.of(1, 0)],
    ['BOOL', 'BOOL', [true, false], Uint8Array.of(1, 0)],
  ] as const)('turns %s into the %s that the graph wants', (datatype, wanted, data, result) => {
    expect(convert(input(datatype, [...data]), expected(wanted)).data).toEqual(result);
  });

  it.each([
    ['a string', 'FP32', ['1']],
    ['null', 'FP32', [null]],
    ['a fraction for an integer', 'INT32', [1.5]],
    ['what is out of range', 'UINT8', [256]],
    ['a negative for an unsigned', 'UINT64', [-1]],
    ['a number for a boolean', 'BOOL', [1]],
    ['what overflows a float', 'FP32', [1e39]],
  ] as const)('refuses %s, naming the element', (_, datatype, data) => {
    expect(refusal(() => convert(input(datatype, [...data])))).toEqual({
      code: 'TENSOR_INVALID',
      field: 'body.inputs[0].data[0]',
    });
  });

  it.each(['FP16', 'BYTES'] as const)('says that %s is not served', (datatype) => {
    expect(refusal(() => convert(input(datatype, [1]), expected('FP32')))).toEqual({
      code: 'UNSUPPORTED_DATATYPE',
      field: 'body.inputs[0].datatype',
    });
  });

  it('refuses a shape that the graph does not take', () => {
    for (const shape of [[2, 3], [3], [1, 2, 1]]) {
      const given = input('FP32', [1, 2], shape);
      expect(refusal(() => convert(given, expected('FP32', [-1, 2])))).toMatchObject({ field: 'body.inputs[0].shape' });
    }
  });

  it('refuses an empty batch and a number of elements that the shape does not say', () => {
    expect(refusal(() => convert(input('FP32', [], [0])))).toMatchObject({ field: 'body.inputs[0].shape' });
    expect(refusal(() => convert(input('FP32', [1, 2, 3], [2])))).toMatchObject({ field: 'body.inputs[0].data' });
  });

  it('allocates nothing for a shape that the data does not back', () => {
    const given = input('FP64', [1], [2_000_000_000]);
    expect(refusal(() => convert(given))).toMatchObject({ code: 'TENSOR_INVALID', field: 'body.inputs[0].data' });
  });

  it('names the row whose nesting is not that of the shape', () => {
    const wanted = expected('FP32', [-1, 2]);
    const ragged = input('FP32', [[1, 2], [3]], [2, 2]);
    expect(refusal(() => convert(ragged, wanted))).toMatchObject({ field: 'body.inputs[0].data[1]' });
    const mixed = input('FP32', [[1, 2], 3], [2, 2]);
    expect(refusal(() => convert(mixed, wanted))).toMatchObject({ field: 'body.inputs[0].data[1]' });
    const deep = input('FP32', [[[1], [2]]], [1, 2]);
    expect(refusal(() => convert(deep, wanted))).toMatchObject({ code: 'TENSOR_INVALID' });
  });

  it('reads nested and flat data alike', () => {
    const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 });
    const cases = shapes.chain((shape) => {
      const length = shape.reduce((a, b) => a * b, 1);
      const values = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), {
        minLength: length,
        maxLength: length,
      });
      return fc.record({ shape: fc.constant(shape), values });
    });
    fc.assert(
      fc.property(cases, ({ shape, values }) => {
        const wanted = expected(
          'FP32',
          shape.map(() => -1),
        );
        const flat = convert(input('FP32', values, shape), wanted);
        const nested = convert(input('FP32', nest(values, shape), shape), wanted);
        expect(nested).toEqual(flat);
        expect(toOutput('x', flat)).toEqual({ name: 'x', shape, datatype: 'FP32', data: values.map(Math.fround) });
      }),
    );
  });
});

describe('toOutput', () => {
  it('writes booleans, and integers beyond JSON numbers as text', () => {
    expect(toOutput('y', { type: 'bool', data: Uint8Array.of(1, 0), dims: [2] })).toMatchObject({
      datatype: 'BOOL',
      data: [true, false],
    });
    const data = BigInt64Array.of(7n, 2n ** 60n);
    expect(toOutput('y', { type: 'int64', data, dims: [2] })).toMatchObject({
      datatype: 'INT64',
      data: [7, '1152921504606846976'],
    });
  });
});
