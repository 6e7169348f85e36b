import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DATATYPES, type Datatype } from '../../../../contracts/inference.ts';
import { ApiError } from '../../../../api/errors.ts';
import {
  decodeInferRequest,
  encodeInferResponse,
  toTensor,
  type InferCall,
} from '../../../../api/serving/codec/index.ts';
import { kindOf, type InputSpec, type TensorData } from '../../../../api/serving/tensors.ts';

const HEADER = 'inference-header-content-length';

/** A body with raw tensors; `json` is padded, so that a tensor can be made to lie unaligned. */
function body(inputs: readonly object[], raw: readonly Uint8Array[], padding = 0): { bytes: Buffer; length: number } {
  const json = Buffer.from(JSON.stringify({ inputs }) + ' '.repeat(padding));
  return { bytes: Buffer.concat([json, ...raw]), length: json.length };
}

function decode({ bytes, length }: { bytes: Buffer; length: number }): InferCall {
  return decodeInferRequest(bytes, { 'content-type': 'application/octet-stream', [HEADER]: String(length) });
}

const raw = (datatype: Datatype, shape: number[], size: number, name = 'x') => ({
  ...{ name, datatype, shape },
  parameters: { binary_data_size: size },
});

function read(datatype: Datatype, bytes: Uint8Array, shape: number[], spec: Partial<InputSpec> = {}): TensorData {
  const [input] = decode(body([raw(datatype, shape, bytes.byteLength)], [bytes])).inputs;
  if (!input) throw new Error('no input');
  return toTensor(input, { name: 'x', datatype, shape: shape.map(() => -1), ...spec }, 'body.inputs[0]');
}

const bytesOf = (array: ArrayBufferView): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

function refusal(work: () => unknown): { code?: string; field?: string } {
  try {
    work();
  } catch (error) {
    if (error instanceof ApiError) return { code: error.code, field: error.errors?.[0]?.field ?? error.field };
    throw error;
  }
  return {};
}

/** Tensors of every datatype that is served. */
const tensors: fc.Arbitrary<TensorData> = fc
  .tuple(
    fc.constantFrom(...DATATYPES.filter((datatype) => datatype !== 'FP16')),
    fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }),
  )
  .chain(([datatype, dims]) => {
    const length = dims.reduce((a, b) => a * b, 1);
    const many = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: length, maxLength: length });
    if (datatype === 'BYTES') {
      return many(fc.string({ unit: 'grapheme' })).map((data): TensorData => ({ type: 'string', data, dims }));
    }
    const { type, array, min, max, integer } = kindOf(datatype, 'x');
    if (datatype === 'INT64' || datatype === 'UINT64') {
      const bounds =
        datatype === 'INT64' ? { min: -(2n ** 63n), max: 2n ** 63n - 1n } : { min: 0n, max: 2n ** 64n - 1n };
      return many(fc.bigInt(bounds)).map((data): TensorData => {
        const values = new array(length);
        data.forEach((value, i) => (values[i] = value));
        return { type, data: values, dims };
      });
    }
    const one = integer
      ? fc.integer({ min, max })
      : datatype === 'FP32'
        ? fc.float({ noNaN: true, noDefaultInfinity: true })
        : fc.double({ noNaN: true, noDefaultInfinity: true });
    return many(one).map((data): TensorData => {
      const values = new array(length);
      data.forEach((value, i) => (values[i] = value));
      return { type, data: values, dims };
    });
  });

/** An answer read back as the request that its outputs would make. */
function back(tensor: TensorData, binary: boolean): TensorData {
  const answer = { model: 'm', version: '1', id: 'i', outputs: [{ name: 'x', tensor, binary }] };
  const { headers, body } = encodeInferResponse(answer);
  const bytes = Buffer.from(body);
  const jsonLength = Number(headers[HEADER] ?? bytes.length);
  const json = bytes.subarray(0, jsonLength).toString().replace('"outputs":', '"inputs":');
  const given = Buffer.concat([Buffer.from(json), bytes.subarray(jsonLength)]);
  const [input] = decodeInferRequest(given, binary ? { [HEADER]: String(Buffer.byteLength(json)) } : {}).inputs;
  if (!input) throw new Error('no input');
  const shape = tensor.dims.map(() => -1);
  return toTensor(input, { name: 'x', datatype: input.datatype, shape }, 'body.inputs[0]');
}

/** Text that tells -0 from nothing else: JSON does not write its sign. */
const told = ({ type, data, dims }: TensorData) => ({ type, dims, data: Array.from(data as string[], String) });

describe('tensors of every datatype', () => {
  it.each([false, true])('come back as they went, raw: %s', (binary) => {
    fc.assert(
      fc.property(tensors, (tensor) => {
        expect(told(back(tensor, binary))).toEqual(told(tensor));
      }),
      { numRuns: 300 },
    );
  });
});

describe('a raw tensor', () => {
  it('is not copied where it lies as the graph needs it, and is copied where it does not', () => {
    const values = Float32Array.of(1.5, -2, 3, 4);
    const input = raw('FP32', [4], 16);
    for (let padding = 0; padding < 4; padding += 1) {
      const given = body([input], [bytesOf(values)], padding);
      const [first] = decode(given).inputs;
      if (!first) throw new Error('no input');
      const { data } = toTensor(first, { name: 'x', datatype: 'FP32', shape: [-1] }, 'x');
      expect(data).toEqual(values);
      const aligned = (given.bytes.byteOffset + given.length) % 4 === 0;
      expect(ArrayBuffer.isView(data) && data.buffer === given.bytes.buffer).toBe(aligned);
    }
  });

  it('becomes the kind of number that the graph wants', () => {
    const wanted = (datatype: Datatype) => ({ datatype });
    expect(read('UINT8', Uint8Array.of(0, 255), [2], wanted('FP32')).data).toEqual(Float32Array.of(0, 255));
    expect(read('FP64', bytesOf(Float64Array.of(3)), [1], wanted('INT64')).data).toEqual(BigInt64Array.of(3n));
    expect(read('INT64', bytesOf(BigInt64Array.of(7n)), [1], wanted('INT32')).data).toEqual(Int32Array.of(7));
    expect(read('UINT64', bytesOf(BigUint64Array.of(7n)), [1], wanted('INT64')).data).toEqual(BigInt64Array.of(7n));
    expect(read('BOOL', Uint8Array.of(1, 0), [2]).data).toEqual(Uint8Array.of(1, 0));
  });

  it('may hold NaN only where a value may be missing, and never an infinity', () => {
    const nan = bytesOf(Float32Array.of(1, Number.NaN));
    expect(read('FP32', nan, [2], { missing: true }).data).toEqual(Float32Array.of(1, Number.NaN));
    expect(refusal(() => read('FP32', nan, [2]))).toEqual({ code: 'TENSOR_INVALID', field: 'body.inputs[0].data[1]' });
    for (const value of [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const bytes = bytesOf(Float32Array.of(value));
      expect(refusal(() => read('FP32', bytes, [1], { missing: true }))).toMatchObject({ code: 'TENSOR_INVALID' });
    }
  });

  it.each<[string, () => unknown, string]>([
    ['of a boolean that is neither', () => read('BOOL', Uint8Array.of(2), [1]), 'data[0]'],
    ['of too few bytes', () => read('FP32', new Uint8Array(7), [2]), 'parameters.binary_data_size'],
    ['of too many bytes', () => read('INT64', new Uint8Array(24), [2]), 'parameters.binary_data_size'],
    ['for a shape of terabytes', () => read('FP64', new Uint8Array(8), [2 ** 40]), 'parameters.binary_data_size'],
    ['of billions of strings', () => read('BYTES', new Uint8Array(8), [2 ** 40]), 'parameters.binary_data_size'],
    ['of a string beyond the end', () => read('BYTES', Uint8Array.of(255, 255, 255, 255, 65), [1]), 'data[0]'],
    ['of a length that is cut off', () => read('BYTES', Uint8Array.of(1, 0, 0, 0, 65, 2, 0, 0), [2]), 'data[1]'],
    [
      'with bytes after its strings',
      () => read('BYTES', Uint8Array.of(0, 0, 0, 0, 1), [1]),
      'parameters.binary_data_size',
    ],
    ['that is not UTF-8', () => read('BYTES', Uint8Array.of(1, 0, 0, 0, 0xff), [1]), 'data[0]'],
    [
      'out of the range of the graph',
      () => read('FP64', bytesOf(Float64Array.of(1e39)), [1], { datatype: 'FP32' }),
      'data[0]',
    ],
  ])('%s is refused, naming the field', (_, work, field) => {
    expect(refusal(work)).toEqual({ code: 'TENSOR_INVALID', field: `body.inputs[0].${field}` });
  });

  it('of halves is not served', () => {
    expect(refusal(() => read('FP16', new Uint8Array(2), [1]))).toEqual({
      code: 'UNSUPPORTED_DATATYPE',
      field: 'body.inputs[0].datatype',
    });
  });
});

describe('a body with raw tensors', () => {
  const good = body([raw('FP32', [1], 4)], [new Uint8Array(4)]);
  const open = (headers: Record<string, string>, bytes = good.bytes) =>
    refusal(() => decodeInferRequest(bytes, headers));
  const octets = { 'content-type': 'application/octet-stream' };

  it.each(['0', '-1', '1e2', '0x10', 'abc', '99999999999', String(good.bytes.length + 1)])(
    'whose JSON is said to be %s bytes long is refused',
    (length) => {
      expect(open({ ...octets, [HEADER]: length })).toEqual({ code: 'REQUEST_INVALID', field: `header.${HEADER}` });
    },
  );

  it('says how long its JSON is', () => {
    expect(open(octets)).toEqual({ code: 'REQUEST_INVALID', field: `header.${HEADER}` });
    const bytes = good.bytes.subarray(0, good.length);
    expect(open({ 'content-type': 'application/json' }, bytes)).toMatchObject({ field: `header.${HEADER}` });
  });

  it.each<[string, readonly object[], number, string]>([
    ['a size beyond the end', [raw('FP32', [1], 8)], 4, 'body.inputs[0].parameters.binary_data_size'],
    ['a negative size', [raw('FP32', [1], -4)], 4, 'body.inputs[0].parameters.binary_data_size'],
    [
      'a size that is no number',
      [{ ...raw('FP32', [1], 4), parameters: { binary_data_size: '4' } }],
      4,
      'body.inputs[0].parameters.binary_data_size',
    ],
    ['bytes that nobody asked for', [raw('FP32', [1], 4)], 5, 'body'],
    ['data twice', [{ ...raw('FP32', [1], 4), data: [1] }], 4, 'body.inputs[0].data'],
    ['no data', [{ name: 'x', datatype: 'FP32', shape: [1] }], 0, 'body.inputs[0].data'],
    [
      'shared memory',
      [{ ...raw('FP32', [1], 4), parameters: { shared_memory_region: 'r' } }],
      4,
      'body.inputs[0].parameters.shared_memory_region',
    ],
  ])('and %s is refused, naming the field', (_, inputs, size, field) => {
    const given = body(inputs, [new Uint8Array(size)]);
    expect(refusal(() => decode(given))).toEqual({ code: 'REQUEST_INVALID', field });
  });

  it('may be anything at all without more than a refusal', () => {
    const lengths = fc.oneof(fc.nat(80).map(String), fc.string());
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), lengths, (bytes, length) => {
        expect(refusal(() => decodeInferRequest(Buffer.from(bytes), { [HEADER]: length }))).toMatchObject({
          code: 'REQUEST_INVALID',
        });
      }),
    );
  });
});

describe('parameters', () => {
  const call = (parameters: object, outputs?: readonly object[]) =>
    decodeInferRequest(
      Buffer.from(
        JSON.stringify({ parameters, outputs, inputs: [{ name: 'x', datatype: 'FP32', shape: [1], data: [1] }] }),
      ),
      {},
    );

  it('choose raw outputs, all or one, and the best classes', () => {
    expect(
      call({ binary_data_output: true }, [{ name: 'a' }, { name: 'b', parameters: { binary_data: false } }]),
    ).toMatchObject({
      binaryOutput: true,
      outputs: [
        { name: 'a', binary: true },
        { name: 'b', binary: false },
      ],
    });
    expect(call({}, [{ name: 'a', parameters: { classification: 3 } }]).outputs).toEqual([
      { name: 'a', binary: false, classes: 3 },
    ]);
  });

  it('of the caller’s own are given back, and those of extensions that are not there are refused', () => {
    expect(call({ trace: 'abc', timeout: 5000 })).toMatchObject({ own: { trace: 'abc' }, timeout: 5 });
    expect(refusal(() => call({ sequence_id: 7 }))).toEqual({
      code: 'REQUEST_INVALID',
      field: 'body.parameters.sequence_id',
    });
    expect(refusal(() => call({ binary_data_output: 'yes' }))).toMatchObject({
      field: 'body.parameters.binary_data_output',
    });
  });
});
