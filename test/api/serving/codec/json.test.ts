import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Datatype } from '../../../../contracts/inference.ts';
import { ApiError } from '../../../../api/errors.ts';
import {
  decodeInferRequest,
  encodeInferResponse,
  toTensor,
  type CallInput,
} from '../../../../api/serving/codec/index.ts';
import type { InputSpec, TensorData } from '../../../../api/serving/tensors.ts';

/** One input as it comes out of a body; `data` may be JSON text, for what JSON.stringify cannot write. */
function input(datatype: Datatype, data: readonly unknown[] | string, shape = [data.length]): CallInput {
  const text = typeof data === 'string' ? data : JSON.stringify(data);
  const body = `{"inputs":[{"name":"x","datatype":"${datatype}","shape":[${shape.join(',')}],"data":${text}}]}`;
  const [read] = decodeInferRequest(Buffer.from(body), {}).inputs;
  if (!read) throw new Error('no input');
  return read;
}
const expected = (datatype: Datatype, shape = [-1]): InputSpec => ({ name: 'x', datatype, shape });
const convert = (given: CallInput, wanted = expected(given.datatype)) => toTensor(given, wanted, 'body.inputs[0]');

/** The first output of an answer, parsed, and the text that it was parsed from. */
function output(tensor: TensorData): { parsed: { datatype: string; shape: number[]; data: unknown[] }; text: string } {
  const answer = { model: 'm', version: '1', id: 'i', outputs: [{ name: 'y', tensor, binary: false }] };
  const text = encodeInferResponse(answer).body.toString();
  const { outputs } = JSON.parse(text) as { outputs: [{ datatype: string; shape: number[]; data: unknown[] }] };
  return { parsed: outputs[0], text };
}

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

  it.each([
    ['INT64', '[-9223372036854775808,-9007199254740993,0,9223372036854775807]', BigInt64Array],
    ['UINT64', '[0,9007199254740993,18446744073709551615,7]', BigUint64Array],
  ] as const)('reads every digit of %s', (datatype, text, array) => {
    const wanted = text.slice(1, -1).split(',').map(BigInt);
    expect(convert(input(datatype, text, [4])).data).toEqual(array.from(wanted));
    const nested = `[[${text.slice(1, -1).split(',').slice(0, 2).join()}],[${text.slice(1, -1).split(',').slice(2).join()}]]`;
    const read = convert(input(datatype, nested, [2, 2]), expected(datatype, [2, 2]));
    expect(read.data).toEqual(array.from(wanted));
  });

  it.each<[Datatype, string, Datatype?]>([
    ['INT64', '[9223372036854775808]'],
    ['INT64', '[-9223372036854775809]'],
    ['UINT64', '[18446744073709551616]'],
    ['UINT64', '[-9007199254740993]'],
    ['INT64', '[1e17]'],
    ['INT64', '[9007199254740993.0]'],
    ['INT64', `[${'9'.repeat(400)}]`],
    ['FP64', '[9007199254740993]', 'INT64'],
  ])('refuses %s %s, which has no such integer', (datatype, text, wanted = datatype) => {
    expect(refusal(() => convert(input(datatype, text, [1]), expected(wanted)))).toEqual({
      code: 'TENSOR_INVALID',
      field: 'body.inputs[0].data[0]',
    });
  });

  it('leaves strings alone that look like integers', () => {
    const data = ['9007199254740993', '[1234567890123456789,"', '\\"', '-1'];
    const body = {
      inputs: [
        { name: 's', datatype: 'BYTES', shape: [4], data },
        { name: 'x', datatype: 'INT64', shape: [1], data: ['N'] },
      ],
    };
    const text = JSON.stringify(body).replace('"N"', '9007199254740993');
    const [strings, integers] = decodeInferRequest(Buffer.from(text), {}).inputs;
    if (!strings || !integers) throw new Error('no inputs');
    expect(convert(integers).data).toEqual(BigInt64Array.of(9007199254740993n));
    expect(convert(strings).data).toEqual(data);
  });

  it('takes null for a value that may be missing, and for no other', () => {
    const wanted: InputSpec = { ...expected('FP32'), missing: true };
    expect(convert(input('FP32', [1, null]), wanted).data).toEqual(Float32Array.of(1, Number.NaN));
    expect(refusal(() => convert(input('FP32', [1, null])))).toMatchObject({ field: 'body.inputs[0].data[1]' });
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
        const { parsed } = output(flat);
        // JSON writes -0 as 0.
        const written = values.map((value) => Math.fround(value) + 0);
        expect(parsed).toEqual({ name: 'y', shape, datatype: 'FP32', data: written });
      }),
    );
  });
});

describe('an answer in JSON', () => {
  it('has booleans, strings, and integers with every digit', () => {
    expect(output({ type: 'bool', data: Uint8Array.of(1, 0), dims: [2] }).parsed).toMatchObject({
      datatype: 'BOOL',
      data: [true, false],
    });
    expect(output({ type: 'string', data: ['a"', 'ü'], dims: [2] }).parsed).toMatchObject({ data: ['a"', 'ü'] });
    const data = BigInt64Array.of(7n, 2n ** 60n + 1n);
    expect(output({ type: 'int64', data, dims: [2] }).text).toContain('"data":[7,1152921504606846977]');
  });

  it('has null where there is no number', () => {
    const data = Float32Array.of(1, Number.NaN, Number.POSITIVE_INFINITY);
    expect(output({ type: 'float32', data, dims: [3] }).parsed.data).toEqual([1, null, null]);
  });
});
