import { isUtf8 } from 'node:buffer';
import { ApiError } from '../../errors.ts';
import type { Kind, TensorData, TypedArray } from '../tensors.ts';
import type { Elements } from './json-elements.ts';
import { roomFor } from './room.ts';

/** Bytes before each string. */
const LENGTH_BYTES = 4;

type Wanted = Pick<Elements, 'source' | 'target' | 'missing' | 'length' | 'field'> & { readonly sizeField: string };

/**
 * Reads a raw little-endian tensor. Nothing is copied where datatype and alignment are those that the graph needs.
 * @throws {ApiError} `TENSOR_INVALID` where the bytes are not as many as the shape says, or an element is out of range
 */
export function readRawNumbers(bytes: Uint8Array, wanted: Wanted): TypedArray {
  const { source, target, length, sizeField } = wanted;
  const size = source.array.BYTES_PER_ELEMENT;
  if (bytes.byteLength !== length * size) {
    const message = `binary_data_size is ${String(bytes.byteLength)}, the shape says ${String(length * size)}.`;
    throw new ApiError('TENSOR_INVALID', message, { field: sizeField });
  }
  const values = view(bytes, source, length);
  const sameKind = source.type === target.type;
  if (sameKind && source.integer && source.type !== 'bool') return values;
  if (values instanceof BigInt64Array || values instanceof BigUint64Array) return convertLong(values, wanted);
  if (sameKind && !source.integer && areFinite(values)) return values;
  return convert(values, wanted, sameKind ? values : roomFor(target.array, length));
}

function view(bytes: Uint8Array, { array }: Kind, length: number): TypedArray {
  if (bytes.byteOffset % array.BYTES_PER_ELEMENT === 0) return new array(bytes.buffer, bytes.byteOffset, length);
  const aligned = roomFor(array, length);
  new Uint8Array(aligned.buffer, aligned.byteOffset, bytes.byteLength).set(bytes);
  return aligned;
}

type Short = Exclude<TypedArray, BigInt64Array | BigUint64Array>;

/** The difference of a number with itself is 0 unless it is infinite or none: one addition an element. */
function areFinite(values: Short): boolean {
  let sum = 0;
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i] as number;
    sum += value - value;
  }
  return sum === 0;
}

/** Checks every element; writes it where the graph takes another kind of number. */
function convert(values: Short, { source, target, missing, field }: Wanted, out: TypedArray): TypedArray {
  const [min, max] = [Math.max(source.min, target.min), Math.min(source.max, target.max)];
  const whole = source.integer || target.integer;
  const long = out instanceof BigInt64Array || out instanceof BigUint64Array;
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i] ?? 0;
    const valid = value >= min && value <= max && (!whole || Number.isInteger(value));
    if (!valid && !(missing && Number.isNaN(value))) throw refusal(field, i, source.type === 'bool');
    if (long) {
      if (!Number.isSafeInteger(value)) throw refusal(field, i, false);
      out[i] = BigInt(value);
    } else if (out !== values) {
      out[i] = value;
    }
  }
  return out;
}

function convertLong(values: BigInt64Array | BigUint64Array, { target, length, field }: Wanted): TypedArray {
  const out = new target.array(length);
  const long = out instanceof BigInt64Array || out instanceof BigUint64Array;
  for (let i = 0; i < length; i += 1) {
    const value = values[i] ?? 0n;
    const number = Number(value);
    if (long) {
      out[i] = value;
      if (out[i] !== value) throw refusal(field, i, false);
    } else {
      if (number < target.min || number > target.max) throw refusal(field, i, false);
      out[i] = number;
    }
  }
  return out;
}

/**
 * Reads raw strings: each has its length in four bytes before it.
 * @throws {ApiError} `TENSOR_INVALID` naming the element whose length is beyond the end, or that is not UTF-8
 */
export function readRawStrings(
  bytes: Uint8Array,
  { length, field, sizeField }: Pick<Wanted, 'length' | 'field' | 'sizeField'>,
): readonly string[] {
  // Looked at before anything is allocated: a small body cannot ask for a large tensor.
  if (bytes.byteLength < length * LENGTH_BYTES) {
    const message = `${String(bytes.byteLength)} bytes cannot hold the ${String(length)} strings of the shape.`;
    throw new ApiError('TENSOR_INVALID', message, { field: sizeField });
  }
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const strings = new Array<string>(length);
  let at = 0;
  for (let i = 0; i < length; i += 1) {
    const size = at + LENGTH_BYTES <= buffer.length ? buffer.readUInt32LE(at) : undefined;
    at += LENGTH_BYTES;
    if (size === undefined || size > buffer.length - at) {
      throw new ApiError('TENSOR_INVALID', `String ${String(i)} is longer than what is left of its tensor.`, {
        field: `${field}[${String(i)}]`,
      });
    }
    const text = buffer.subarray(at, at + size);
    if (!isUtf8(text)) {
      throw new ApiError('TENSOR_INVALID', `String ${String(i)} is not UTF-8.`, { field: `${field}[${String(i)}]` });
    }
    strings[i] = text.toString('utf8');
    at += size;
  }
  if (at === buffer.length) return strings;
  throw new ApiError('TENSOR_INVALID', `${String(buffer.length - at)} bytes are left after the last string.`, {
    field: sizeField,
  });
}

/** A tensor as the binary extension writes it. Numbers are not copied. */
export function writeRaw({ data }: Pick<TensorData, 'data'>): Buffer {
  if (ArrayBuffer.isView(data)) return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return Buffer.concat(
    data.flatMap((text) => {
      const bytes = Buffer.from(text, 'utf8');
      const size = Buffer.allocUnsafe(LENGTH_BYTES);
      size.writeUInt32LE(bytes.length);
      return [size, bytes];
    }),
  );
}

function refusal(field: string, index: number, boolean: boolean): ApiError {
  const wanted = boolean ? 'a boolean, 0 or 1' : 'a finite number in range';
  return new ApiError('TENSOR_INVALID', `Element ${String(index)} is not ${wanted}.`, {
    field: `${field}[${String(index)}]`,
  });
}
