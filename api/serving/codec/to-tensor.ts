import { ApiError } from '../../errors.ts';
import { kindOf, type InputSpec, type TensorData } from '../tensors.ts';
import type { JsonData } from './json-data.ts';
import { readNumbers, readStrings } from './json-elements.ts';
import { readRawNumbers, readRawStrings } from './raw-elements.ts';
import type { CallInput } from './request.ts';
import { lengthOf } from './shape.ts';

/**
 * Turns one input of a request into what the graph wants. Every element must be a value of the declared datatype and
 * exactly representable as the graph's kind of number (floating point may round).
 * @param path of the input in the request
 * @throws {ApiError} `TENSOR_INVALID` or `UNSUPPORTED_DATATYPE`, with the path of what is wrong
 */
export function toTensor(input: CallInput, expected: InputSpec, path: string): TensorData {
  const { datatype, shape, data } = input;
  const field = `${path}.data`;
  const sizeField = `${path}.parameters.binary_data_size`;
  if (expected.datatype === 'BYTES') {
    if (datatype !== 'BYTES') throw mismatch(`The model takes BYTES (strings), not ${datatype}.`, path);
    const length = lengthOf(shape, expected.shape, `${path}.shape`);
    const strings = isRaw(data)
      ? readRawStrings(data, { length, field, sizeField })
      : readStrings(data, { shape, length, field });
    return { type: 'string', data: strings, dims: shape };
  }
  const source = kindOf(datatype, `${path}.datatype`);
  const target = kindOf(expected.datatype, `${path}.datatype`);
  if (expected.datatype === 'BOOL' && datatype !== 'BOOL')
    throw mismatch(`The model takes BOOL, not ${datatype}.`, path);
  const length = lengthOf(shape, expected.shape, `${path}.shape`);
  // A missing value is a NaN that reaches the graph.
  const missing = expected.missing === true && !target.integer;
  const wanted = { declared: datatype, source, target, missing, shape, length, field, sizeField };
  const values = isRaw(data) ? readRawNumbers(data, wanted) : readNumbers(data, wanted);
  return { type: target.type, data: values, dims: shape };
}

function isRaw(data: JsonData | Uint8Array): data is Uint8Array {
  return data instanceof Uint8Array;
}

function mismatch(message: string, path: string): ApiError {
  return new ApiError('TENSOR_INVALID', message, { field: `${path}.datatype` });
}
