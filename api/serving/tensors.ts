import type { Datatype, InferInput, InferOutput, TensorMetadata } from '../../contracts/inference.ts';
import { ApiError } from '../errors.ts';

export type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array;

/** Element types of ONNX Runtime that this platform serves. */
export type ElementType =
  | 'float32'
  | 'float64'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'bool'
  | 'string';

/** A tensor that can move between threads: no native handle, its buffer can be transferred. */
export interface TensorData {
  readonly type: ElementType;
  /** Strings where `type` is `string`. */
  readonly data: TypedArray | readonly string[];
  readonly dims: readonly number[];
}

interface Kind {
  readonly type: ElementType;
  readonly min: number;
  readonly max: number;
  readonly integer: boolean;
  allocate(length: number): TypedArray;
}

const FLOAT32_MAX = 3.4028234663852886e38;
const integer = (type: ElementType, min: number, max: number, allocate: Kind['allocate']): Kind => ({
  type,
  min,
  max,
  integer: true,
  allocate,
});

/** JSON numbers are doubles, so 64-bit integers are exact, and taken, only up to 2^53 - 1. */
const KINDS: Partial<Record<Datatype, Kind>> = {
  BOOL: integer('bool', 0, 1, (length) => new Uint8Array(length)),
  UINT8: integer('uint8', 0, 255, (length) => new Uint8Array(length)),
  UINT16: integer('uint16', 0, 65_535, (length) => new Uint16Array(length)),
  UINT32: integer('uint32', 0, 4_294_967_295, (length) => new Uint32Array(length)),
  UINT64: integer('uint64', 0, Number.MAX_SAFE_INTEGER, (length) => new BigUint64Array(length)),
  INT8: integer('int8', -128, 127, (length) => new Int8Array(length)),
  INT16: integer('int16', -32_768, 32_767, (length) => new Int16Array(length)),
  INT32: integer('int32', -2_147_483_648, 2_147_483_647, (length) => new Int32Array(length)),
  INT64: integer('int64', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, (length) => new BigInt64Array(length)),
  FP32: {
    type: 'float32',
    min: -FLOAT32_MAX,
    max: FLOAT32_MAX,
    integer: false,
    allocate: (length) => new Float32Array(length),
  },
  FP64: {
    type: 'float64',
    min: -Number.MAX_VALUE,
    max: Number.MAX_VALUE,
    integer: false,
    allocate: (length) => new Float64Array(length),
  },
};

const DATATYPE_OF: Readonly<Record<ElementType, Datatype>> = {
  float32: 'FP32',
  float64: 'FP64',
  int8: 'INT8',
  int16: 'INT16',
  int32: 'INT32',
  int64: 'INT64',
  uint8: 'UINT8',
  uint16: 'UINT16',
  uint32: 'UINT32',
  uint64: 'UINT64',
  bool: 'BOOL',
  string: 'BYTES',
};

/** The protocol's name of an ONNX Runtime element type, or `undefined` when it cannot be served. */
export function datatypeOf(type: string): Datatype | undefined {
  return Object.hasOwn(DATATYPE_OF, type) ? DATATYPE_OF[type as ElementType] : undefined;
}

/** A tensor of zeros, or empty strings, as the graph takes it: `rows` on a variable first axis, 1 on every other variable one. */
export function zeros({ name, datatype, shape }: TensorMetadata, rows: number): TensorData {
  const dims = shape.map((size, axis) => (size !== -1 ? size : axis === 0 ? rows : 1));
  const length = dims.reduce((product, size) => product * size, 1);
  if (datatype === 'BYTES') return { type: 'string', data: Array.from({ length }, () => ''), dims };
  const kind = kindOf(datatype, name);
  return { type: kind.type, data: kind.allocate(length), dims };
}

/**
 * Turns one input of a request into what the graph wants. Every element must be a value of the declared datatype and
 * exactly representable as the graph's kind of number (floating point may round).
 * @throws {ApiError} `TENSOR_INVALID` or `UNSUPPORTED_DATATYPE`, with the path of what is wrong
 */
export function toTensor(input: InferInput, expected: TensorMetadata, path: string): TensorData {
  if (expected.datatype === 'BYTES') return toStrings(input, expected, path);
  const declared = kindOf(input.datatype, `${path}.datatype`);
  const target = kindOf(expected.datatype, `${path}.datatype`);
  if ((input.datatype === 'BOOL') !== (expected.datatype === 'BOOL') && expected.datatype === 'BOOL') {
    throw new ApiError('TENSOR_INVALID', `The model takes BOOL, not ${input.datatype}.`, { field: `${path}.datatype` });
  }
  const length = checkShape(input.shape, expected.shape, `${path}.shape`);
  const reader = new ElementReader(declared, target, input.datatype === 'BOOL', path);
  return { type: target.type, data: reader.read(input.data, input.shape, length), dims: input.shape };
}

function toStrings(input: InferInput, expected: TensorMetadata, path: string): TensorData {
  if (input.datatype !== 'BYTES') {
    throw new ApiError('TENSOR_INVALID', `The model takes BYTES (strings), not ${input.datatype}.`, {
      field: `${path}.datatype`,
    });
  }
  const length = checkShape(input.shape, expected.shape, `${path}.shape`);
  const flat = flatten(input.data, input.shape, length, path);
  const stray = flat.findIndex((value) => typeof value !== 'string');
  if (stray === -1) return { type: 'string', data: flat as readonly string[], dims: input.shape };
  throw new ApiError('TENSOR_INVALID', `Element ${String(stray)} is not a string.`, {
    field: `${path}.data[${String(stray)}]`,
  });
}

/** What can be transferred of some tensors: the buffers of their numbers. */
export function buffersOf(tensors: Readonly<Record<string, TensorData>>): ArrayBuffer[] {
  return Object.values(tensors).flatMap(({ data }) => ('buffer' in data ? [data.buffer as ArrayBuffer] : []));
}

export function toOutput(name: string, tensor: TensorData): InferOutput {
  return {
    name,
    shape: [...tensor.dims],
    datatype: DATATYPE_OF[tensor.type],
    data: elements(tensor),
  };
}

function elements({ type, data }: TensorData): (number | boolean | string)[] {
  if (type === 'string') return [...(data as readonly string[])];
  if (type === 'bool') return Array.from(data as Uint8Array, (value) => value !== 0);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array || type === 'int64' || type === 'uint64') {
    return Array.from(data as BigInt64Array, exactInteger);
  }
  return Array.from(data as Float32Array);
}

/** A string where a JSON number could not hold the value. */
function exactInteger(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}

function kindOf(datatype: Datatype, field: string): Kind {
  const kind = KINDS[datatype];
  if (!kind) throw new ApiError('UNSUPPORTED_DATATYPE', `${datatype} is not served.`, { field });
  return kind;
}

function checkShape(shape: readonly number[], expected: readonly number[], field: string): number {
  const fits = shape.length === expected.length && expected.every((size, axis) => size === -1 || size === shape[axis]);
  if (!fits) {
    throw new ApiError(
      'TENSOR_INVALID',
      `The shape is [${shape.join(', ')}], the model takes [${expected.join(', ')}].`,
      {
        field,
      },
    );
  }
  const length = shape.reduce((product, size) => product * size, 1);
  if (length < 1 || !Number.isSafeInteger(length)) {
    throw new ApiError('TENSOR_INVALID', 'Every dimension must be at least 1.', { field });
  }
  return length;
}

class ElementReader {
  readonly #target: Kind;
  readonly #min: number;
  readonly #max: number;
  readonly #integer: boolean;
  readonly #boolean: boolean;
  readonly #path: string;

  constructor(declared: Kind, target: Kind, boolean: boolean, path: string) {
    this.#target = target;
    this.#min = Math.max(declared.min, target.min);
    this.#max = Math.min(declared.max, target.max);
    this.#integer = declared.integer || target.integer;
    this.#boolean = boolean;
    this.#path = path;
  }

  read(data: readonly unknown[], shape: readonly number[], length: number): TypedArray {
    const flat = flatten(data, shape, length, this.#path);
    const out = this.#target.allocate(length);
    if (out instanceof BigInt64Array || out instanceof BigUint64Array) {
      for (let i = 0; i < length; i += 1) out[i] = BigInt(this.#number(flat[i], i));
    } else {
      for (let i = 0; i < length; i += 1) out[i] = this.#number(flat[i], i);
    }
    return out;
  }

  #number(value: unknown, index: number): number {
    if (this.#boolean) {
      if (typeof value === 'boolean') return value ? 1 : 0;
    } else if (
      typeof value === 'number' &&
      value >= this.#min &&
      value <= this.#max &&
      (!this.#integer || Number.isInteger(value))
    ) {
      return value;
    }
    const kind = this.#boolean ? 'a boolean' : this.#integer ? 'an integer in range' : 'a number in range';
    throw new ApiError('TENSOR_INVALID', `Element ${String(index)} is not ${kind}.`, {
      field: `${this.#path}.data[${String(index)}]`,
    });
  }
}

/** The elements in a row, once there are as many as the shape says. */
function flatten(data: readonly unknown[], shape: readonly number[], length: number, path: string): readonly unknown[] {
  const nested = Array.isArray(data[0]);
  // Counted before anything is allocated: a small body cannot ask for a large tensor.
  const count = nested ? countNested(data, shape, 0, `${path}.data`) : data.length;
  if (count !== length) {
    throw new ApiError('TENSOR_INVALID', `data has ${String(count)} elements, the shape says ${String(length)}.`, {
      field: `${path}.data`,
    });
  }
  return nested ? data.flat(shape.length - 1) : data;
}

/** Counts the elements of nested data and checks that each level has the length that `shape` says. */
function countNested(data: readonly unknown[], shape: readonly number[], axis: number, field: string): number {
  if (data.length !== shape[axis]) {
    throw new ApiError(
      'TENSOR_INVALID',
      `Axis ${String(axis)} has ${String(data.length)} entries, the shape says ${String(shape[axis])}.`,
      {
        field,
      },
    );
  }
  if (axis === shape.length - 1) return data.length;
  let count = 0;
  for (const [index, row] of data.entries()) {
    const at = `${field}[${String(index)}]`;
    if (!Array.isArray(row))
      throw new ApiError('TENSOR_INVALID', 'The nesting is not as deep as the shape.', { field: at });
    count += countNested(row, shape, axis + 1, at);
  }
  return count;
}
