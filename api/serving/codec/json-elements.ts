import type { Datatype } from '../../../contracts/inference.ts';
import { ApiError } from '../../errors.ts';
import type { Kind, TypedArray } from '../tensors.ts';
import type { JsonData } from './json-data.ts';
import { roomFor } from './room.ts';

/** What is wanted of the elements. */
export interface Elements {
  /** What the request says that they are. */
  readonly declared: Datatype;
  readonly source: Kind;
  /** What the graph takes. */
  readonly target: Kind;
  /** `null` is a missing value, NaN. */
  readonly missing: boolean;
  readonly shape: readonly number[];
  readonly length: number;
  /** Path of the data in the request. */
  readonly field: string;
}

/** The longest text of a 64-bit integer is that of the least one. */
const LONGEST_INTEGER = String(-(2n ** 63n)).length;

/**
 * Reads JSON elements into what the graph takes, in one pass. Each must be a value of the declared datatype and of the
 * graph's, exactly where that is an integer; floating point may round.
 * @throws {ApiError} `TENSOR_INVALID` naming the element
 */
export function readNumbers(data: JsonData, wanted: Elements): TypedArray {
  const { declared, target, shape, length, field } = wanted;
  const flat = data.flat(shape, length, field);
  const out = roomFor(target.array, length);
  if (declared === 'BOOL') return readBooleans(flat, out, wanted);
  if (out instanceof BigInt64Array || out instanceof BigUint64Array) {
    const exact = (): ArrayLike<unknown> => data.exact(shape, length, field);
    return readLongIntegers(flat, exact, out, wanted);
  }
  const { source, missing } = wanted;
  const [min, max] = [Math.max(source.min, target.min), Math.min(source.max, target.max)];
  const whole = source.integer || target.integer;
  const bounds = { min, max, whole };
  if (flat instanceof Float64Array) return readDoubles(flat, out, bounds, field);
  for (let i = 0; i < length; i += 1) {
    const value = flat[i];
    if (typeof value === 'number' && value >= min && value <= max && (!whole || Number.isInteger(value))) {
      out[i] = value;
    } else if (missing && value === null) {
      out[i] = Number.NaN;
    } else {
      throw refusal(field, i, whole ? 'an integer in range' : 'a number in range');
    }
  }
  return out;
}

/** Where all elements are numbers already: a loop of its own, without a look at what each one is. */
function readDoubles(
  flat: Float64Array,
  out: Exclude<TypedArray, BigInt64Array | BigUint64Array>,
  { min, max, whole }: { readonly min: number; readonly max: number; readonly whole: boolean },
  field: string,
): TypedArray {
  for (let i = 0; i < flat.length; i += 1) {
    const value = flat[i] ?? Number.NaN;
    if (!(value >= min && value <= max) || (whole && !Number.isInteger(value))) {
      throw refusal(field, i, whole ? 'an integer in range' : 'a number in range');
    }
    out[i] = value;
  }
  return out;
}

function readBooleans(flat: ArrayLike<unknown>, out: TypedArray, { length, field }: Elements): TypedArray {
  const long = out instanceof BigInt64Array || out instanceof BigUint64Array;
  for (let i = 0; i < length; i += 1) {
    const value = flat[i];
    if (typeof value !== 'boolean') throw refusal(field, i, 'a boolean');
    if (long) out[i] = value ? 1n : 0n;
    else out[i] = value ? 1 : 0;
  }
  return out;
}

/** 64-bit integers: from the number where a double holds it, else from its digits. */
function readLongIntegers(
  flat: ArrayLike<unknown>,
  readExact: () => ArrayLike<unknown>,
  out: BigInt64Array | BigUint64Array,
  { declared, source, length, field }: Elements,
): TypedArray {
  const spelled = declared === 'INT64' || declared === 'UINT64';
  const signed = out instanceof BigInt64Array;
  let exact: ArrayLike<unknown> | undefined;
  for (let i = 0; i < length; i += 1) {
    const value = flat[i];
    let integer: bigint | undefined;
    if (typeof value === 'number' && value >= source.min && value <= source.max) {
      if (Number.isSafeInteger(value)) integer = BigInt(value);
      else if (spelled) integer = fromDigits((exact ??= readExact())[i]);
    }
    if (integer === undefined || !fits(integer, signed) || (declared === 'UINT64' && integer < 0n)) {
      throw refusal(field, i, 'an integer in range');
    }
    if (declared === 'INT64' && !fits(integer, true)) throw refusal(field, i, 'an integer in range');
    out[i] = integer;
  }
  return out;
}

/** Fractions and exponents beyond 2^53, which nobody can tell the digits of, have stayed numbers. */
function fromDigits(text: unknown): bigint | undefined {
  return typeof text === 'string' && text.length <= LONGEST_INTEGER ? BigInt(text) : undefined;
}

function fits(value: bigint, signed: boolean): boolean {
  return (signed ? BigInt.asIntN(64, value) : BigInt.asUintN(64, value)) === value;
}

/** @throws {ApiError} `TENSOR_INVALID` where an element is no string, or one that UTF-8 cannot write */
export function readStrings(
  data: JsonData,
  { shape, length, field }: Pick<Elements, 'shape' | 'length' | 'field'>,
): readonly string[] {
  const flat = data.flat(shape, length, field);
  for (let i = 0; i < length; i += 1) {
    const value = flat[i];
    if (typeof value !== 'string') throw refusal(field, i, 'a string');
    if (!value.isWellFormed()) throw refusal(field, i, 'well-formed Unicode');
  }
  // Strings are never lifted: what holds them is an array.
  return flat as unknown as readonly string[];
}

function refusal(field: string, index: number, wanted: string): ApiError {
  return new ApiError('TENSOR_INVALID', `Element ${String(index)} is not ${wanted}.`, {
    field: `${field}[${String(index)}]`,
  });
}
