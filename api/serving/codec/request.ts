import type { IncomingHttpHeaders } from 'node:http';
import { InferRequest, type Datatype, type InferInput } from '../../../contracts/inference.ts';
import { ApiError } from '../../errors.ts';
import { checkJsonText } from '../../http/json-text.ts';
import { validate } from '../../http/validate.ts';
import type { JsonData } from './json-elements.ts';
import { parseWithLongIntegers } from './long-integers.ts';
import { flag, readParameters, refuseUnserved, wholeNumber, type RequestParameters } from './parameters.ts';

/** An input whose name, shape and datatype are well-formed; its elements are looked at where they become a tensor. */
export interface CallInput {
  readonly name: string;
  readonly shape: readonly number[];
  readonly datatype: Datatype;
  /** Raw little-endian elements, a part of the body, or JSON. */
  readonly data: JsonData | Uint8Array;
}

/** An output that the request names. */
export interface CallOutput {
  readonly name: string;
  readonly binary: boolean;
  /** Best classes in place of the scores. */
  readonly classes?: number;
}

/** A request of the protocol, read from its body. */
export interface InferCall extends RequestParameters {
  readonly id?: string;
  readonly inputs: readonly CallInput[];
  /** Absent: all of them. */
  readonly outputs?: readonly CallOutput[];
}

/** Bytes of JSON before the raw tensors. */
export const HEADER_LENGTH = 'inference-header-content-length';
const LENGTH_FIELD = `header.${HEADER_LENGTH}`;
const BINARY = /^application\/octet-stream\b/i;

/**
 * Reads a request of the Open Inference Protocol V2 with its extension for binary tensors. The envelope is checked
 * against its schema; raw tensors are parts of `body`, which must not be changed afterwards.
 * @throws {ApiError} `REQUEST_INVALID` naming what is wrong
 */
export function decodeInferRequest(body: Buffer, headers: IncomingHttpHeaders): InferCall {
  const jsonLength = headerLength(body, headers);
  const text = textOf(body.subarray(0, jsonLength));
  const { id, inputs, outputs, parameters } = validate(InferRequest, parse(text), 'body');
  const read = readParameters(parameters);
  const tensors = new RawTensors(body, jsonLength);
  const exact = lazily(() => parseWithLongIntegers(text) as InferRequest);
  const call = {
    ...read,
    ...(id !== undefined && { id }),
    inputs: inputs.map((input, index) => readInput(input, index, tensors, exact)),
    ...(outputs && outputs.length > 0 && { outputs: outputs.map((output, at) => readOutput(output, at, read)) }),
  };
  tensors.end();
  return call;
}

/** Where the JSON ends: at the end of the body unless the header of the extension says something else. */
function headerLength(body: Buffer, headers: IncomingHttpHeaders): number | undefined {
  const text = headers[HEADER_LENGTH];
  if (text === undefined) {
    if (!BINARY.test(headers['content-type'] ?? '')) return undefined;
    const message = 'A body with binary tensors says in Inference-Header-Content-Length how long its JSON is.';
    throw new ApiError('REQUEST_INVALID', message, { field: LENGTH_FIELD });
  }
  const length = typeof text === 'string' && /^\d{1,10}$/.test(text) ? Number(text) : 0;
  if (length > 0 && length <= body.length) return length;
  const message = `Inference-Header-Content-Length must be 1 to ${String(body.length)}, the length of the body.`;
  throw new ApiError('REQUEST_INVALID', message, { field: LENGTH_FIELD });
}

function textOf(bytes: Buffer): string {
  checkJsonText(bytes);
  return bytes.toString('utf8');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError('REQUEST_INVALID', 'The body is not valid JSON.', { field: 'body' });
  }
}

function readInput(
  { name, shape, datatype, parameters = {}, data }: InferInput,
  index: number,
  tensors: RawTensors,
  exact: () => InferRequest,
): CallInput {
  const path = `body.inputs[${String(index)}]`;
  refuseUnserved(parameters, `${path}.parameters`);
  const size = wholeNumber(parameters, 'binary_data_size', `${path}.parameters`);
  if ((size === undefined) === (data === undefined)) {
    const message = size === undefined ? 'The input has no data.' : 'The input has data and binary_data_size.';
    throw new ApiError('REQUEST_INVALID', message, { field: `${path}.data` });
  }
  if (size !== undefined) return { name, shape, datatype, data: tensors.take(size, path) };
  return { name, shape, datatype, data: { values: data ?? [], exact: () => exact().inputs[index]?.data ?? [] } };
}

function readOutput(
  { name, parameters = {} }: NonNullable<InferRequest['outputs']>[number],
  index: number,
  { binaryOutput }: RequestParameters,
): CallOutput {
  const field = `body.outputs[${String(index)}].parameters`;
  refuseUnserved(parameters, field);
  const classes = wholeNumber(parameters, 'classification', field);
  const binary = flag(parameters, 'binary_data', field) ?? binaryOutput;
  return { name, binary, ...(classes !== undefined && classes > 0 && { classes }) };
}

/** The bytes after the JSON, handed out to the inputs in their order. */
class RawTensors {
  readonly #body: Buffer;
  readonly #binary: boolean;
  #at: number;

  constructor(body: Buffer, jsonLength: number | undefined) {
    this.#body = body;
    this.#binary = jsonLength !== undefined;
    this.#at = jsonLength ?? body.length;
  }

  take(size: number, path: string): Uint8Array {
    if (!this.#binary) {
      const message = 'binary_data_size needs the header Inference-Header-Content-Length.';
      throw new ApiError('REQUEST_INVALID', message, { field: LENGTH_FIELD });
    }
    const left = this.#body.length - this.#at;
    if (size > left) {
      const message = `binary_data_size is ${String(size)}, but ${String(left)} bytes are left of the body.`;
      throw new ApiError('REQUEST_INVALID', message, { field: `${path}.parameters.binary_data_size` });
    }
    const tensor = this.#body.subarray(this.#at, this.#at + size);
    this.#at += size;
    return tensor;
  }

  end(): void {
    const left = this.#body.length - this.#at;
    if (left === 0) return;
    const message = `${String(left)} bytes of the body belong to no input.`;
    throw new ApiError('REQUEST_INVALID', message, { field: 'body' });
  }
}

function lazily<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}
