import { LRUCache } from 'lru-cache';
import { InferRequest, type Datatype, type InferInput } from '../../../contracts/inference.ts';
import { ApiError } from '../../errors.ts';
import { validate } from '../../http/validate.ts';
import { flag, readParameters, refuseUnserved, wholeNumber, type RequestParameters } from './parameters.ts';

/** An input without its elements. */
export interface InputForm {
  readonly name: string;
  readonly shape: readonly number[];
  readonly datatype: Datatype;
  /** Bytes after the JSON; absent where `data` is there. */
  readonly binarySize: number | undefined;
  readonly data: readonly unknown[];
}

/** An output that the request names. */
export interface CallOutput {
  readonly name: string;
  readonly binary: boolean;
  /** Best classes in place of the scores. */
  readonly classes?: number;
}

/** The envelope of a request, checked against its schema. */
export interface RequestForm extends RequestParameters {
  readonly id?: string;
  readonly inputs: readonly InputForm[];
  /** Absent: all of them. */
  readonly outputs?: readonly CallOutput[];
}

/** @throws {ApiError} `REQUEST_INVALID` where the text is no JSON, or naming what is wrong in it */
export function readForm(text: string): RequestForm {
  const { id, inputs, outputs, parameters } = validate(InferRequest, parse(text), 'body');
  const read = readParameters(parameters);
  return {
    ...read,
    ...(id !== undefined && { id }),
    inputs: inputs.map(readInput),
    ...(outputs && outputs.length > 0 && { outputs: outputs.map((output, at) => readOutput(output, at, read)) }),
  };
}

/** Forms that are remembered, each of some kilobytes. */
const REMEMBERED = 500;
const known = new LRUCache<string, RequestForm>({ max: REMEMBERED });

/** What was read before; undefined where it was not. */
export function knownForm(text: string): RequestForm | undefined {
  return known.get(text);
}

/** As `readForm`; what comes again is known then. */
export function rememberForm(text: string): RequestForm {
  const form = readForm(text);
  // An id comes once, and would push out a form that comes again.
  if (form.id === undefined) known.set(text, form);
  return form;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError('REQUEST_INVALID', 'The body is not valid JSON.', { field: 'body' });
  }
}

function readInput({ name, shape, datatype, parameters = {}, data }: InferInput, index: number): InputForm {
  const path = `body.inputs[${String(index)}]`;
  refuseUnserved(parameters, `${path}.parameters`);
  const binarySize = wholeNumber(parameters, 'binary_data_size', `${path}.parameters`);
  if ((binarySize === undefined) === (data === undefined)) {
    const message = binarySize === undefined ? 'The input has no data.' : 'The input has data and binary_data_size.';
    throw new ApiError('REQUEST_INVALID', message, { field: `${path}.data` });
  }
  return { name, shape, datatype, binarySize, data: data ?? [] };
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
