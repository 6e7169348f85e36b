import { endianness } from 'node:os';
import type { Datatype, TensorMetadata } from '../../contracts/inference.ts';
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

/** An input of a graph. */
export interface InputSpec extends TensorMetadata {
  /** NaN is a value that the model was trained to take as missing. */
  readonly missing?: boolean;
}

interface TypedArrayConstructor {
  new (length: number): TypedArray;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): TypedArray;
  readonly BYTES_PER_ELEMENT: number;
}

/** What a datatype of numbers holds. The bounds of 64-bit integers are the nearest doubles. */
export interface Kind {
  readonly type: ElementType;
  readonly min: number;
  readonly max: number;
  readonly integer: boolean;
  readonly array: TypedArrayConstructor;
}

// Raw tensors of the protocol are little-endian, and are taken as they lie in memory.
if (endianness() !== 'LE') throw new Error('Tensors are served on little-endian machines only.');

const FLOAT32_MAX = 3.4028234663852886e38;
const integer = (type: ElementType, min: number, max: number, array: TypedArrayConstructor): Kind => ({
  type,
  min,
  max,
  integer: true,
  array,
});

const KINDS: Partial<Record<Datatype, Kind>> = {
  BOOL: integer('bool', 0, 1, Uint8Array),
  UINT8: integer('uint8', 0, 255, Uint8Array),
  UINT16: integer('uint16', 0, 65_535, Uint16Array),
  UINT32: integer('uint32', 0, 4_294_967_295, Uint32Array),
  UINT64: integer('uint64', 0, 2 ** 64, BigUint64Array),
  INT8: integer('int8', -128, 127, Int8Array),
  INT16: integer('int16', -32_768, 32_767, Int16Array),
  INT32: integer('int32', -2_147_483_648, 2_147_483_647, Int32Array),
  INT64: integer('int64', -(2 ** 63), 2 ** 63, BigInt64Array),
  FP32: { type: 'float32', min: -FLOAT32_MAX, max: FLOAT32_MAX, integer: false, array: Float32Array },
  FP64: { type: 'float64', min: -Number.MAX_VALUE, max: Number.MAX_VALUE, integer: false, array: Float64Array },
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

/** The protocol's name of what a tensor holds. */
export function datatypeOfTensor({ type }: Pick<TensorData, 'type'>): Datatype {
  return DATATYPE_OF[type];
}

/** @throws {ApiError} `UNSUPPORTED_DATATYPE` for FP16, and for BYTES, which are no numbers */
export function kindOf(datatype: Datatype, field: string): Kind {
  const kind = KINDS[datatype];
  if (!kind) throw new ApiError('UNSUPPORTED_DATATYPE', `${datatype} is not served.`, { field });
  return kind;
}

/** A tensor of zeros, or empty strings, as the graph takes it: `rows` on a variable first axis, 1 on every other variable one. */
export function zeros({ name, datatype, shape }: TensorMetadata, rows: number): TensorData {
  const dims = shape.map((size, axis) => (size !== -1 ? size : axis === 0 ? rows : 1));
  const length = dims.reduce((product, size) => product * size, 1);
  if (datatype === 'BYTES') return { type: 'string', data: Array.from({ length }, () => ''), dims };
  const { type, array } = kindOf(datatype, name);
  return { type, data: new array(length), dims };
}

/** The same with a copy of each tensor that shares its buffer: with it, all of the buffer would move to another thread. */
export function apart(tensors: Readonly<Record<string, TensorData>>): Record<string, TensorData> {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => {
      const { data } = tensor;
      const shared = ArrayBuffer.isView(data) && data.byteLength < data.buffer.byteLength;
      return [name, shared ? { ...tensor, data: data.slice() } : tensor];
    }),
  );
}

/** What can be transferred of some tensors: buffers that hold one tensor and nothing else. */
export function buffersOf(tensors: Readonly<Record<string, TensorData>>): ArrayBuffer[] {
  const buffers = Object.values(tensors).flatMap(({ data }) =>
    'buffer' in data && data.buffer instanceof ArrayBuffer && data.byteLength === data.buffer.byteLength
      ? [data.buffer]
      : [],
  );
  return [...new Set(buffers)];
}
