import type { IncomingHttpHeaders } from 'node:http';
import type { Datatype, InferRequest } from '../../../contracts/inference.ts';
import { checkJsonText } from '../../http/json-text.ts';
import { knownForm, readForm, rememberForm, type CallOutput, type InputForm, type RequestForm } from './form.ts';
import { LiftedData, ParsedData, type JsonData } from './json-data.ts';
import { liftNumbers } from './lift-numbers.ts';
import { parseWithLongIntegers } from './long-integers.ts';
import type { RequestParameters } from './parameters.ts';
import { RawTensors, headerLength } from './raw-tensors.ts';

export type { CallOutput } from './form.ts';

/** An input whose name, shape and datatype are well-formed; its elements are looked at where they become a tensor. */
export interface CallInput {
  readonly name: string;
  readonly shape: readonly number[];
  readonly datatype: Datatype;
  /** Raw little-endian elements, a part of the body, or JSON. */
  readonly data: JsonData | Uint8Array;
}

/** A request of the protocol, read from its body. */
export interface InferCall extends RequestParameters {
  readonly id?: string;
  readonly inputs: readonly CallInput[];
  /** Absent: all of them. */
  readonly outputs?: readonly CallOutput[];
}

/**
 * Reads a request of the Open Inference Protocol V2 with its extension for binary tensors. The envelope is checked
 * against its schema; raw tensors are parts of `body`, which must not be changed afterwards.
 * @throws {ApiError} `REQUEST_INVALID` naming what is wrong
 */
export function decodeInferRequest(body: Buffer, headers: IncomingHttpHeaders): InferCall {
  const jsonLength = headerLength(body, headers);
  const { form, dataOf } = readJson(jsonLength === undefined ? body : body.subarray(0, jsonLength));
  const tensors = new RawTensors(body, jsonLength);
  const inputs = form.inputs.map((input, index): CallInput => {
    const { name, shape, datatype, binarySize } = input;
    const data = binarySize === undefined ? dataOf(input, index) : tensors.take(binarySize, index);
    return { name, shape, datatype, data };
  });
  tensors.end();
  return { ...form, inputs };
}

interface ReadJson {
  readonly form: RequestForm;
  readonly dataOf: (input: InputForm, index: number) => JsonData;
}

/** Longer ones are seldom the same twice. */
const LONGEST_FORM = 4096;
/** ASCII without any escape: as bytes, as a text and as the names in it the same. */
const PLAIN = /^[\0-\x5b\x5d-\x7f]*$/;

function readJson(json: Buffer): ReadJson {
  const lifted = liftNumbers(json);
  if (lifted === undefined || lifted.envelope.length > LONGEST_FORM) return parsed(json);
  const { envelope, arrays } = lifted;
  const form = knownForm(envelope) ?? (PLAIN.test(envelope) ? rememberForm(envelope) : undefined);
  if (form === undefined) return parsed(json);
  return {
    form,
    dataOf: ({ data: [place] }) => {
      const array = typeof place === 'number' ? arrays[place] : undefined;
      if (array === undefined) throw new RangeError('an array of the request is not in its place');
      return new LiftedData(array);
    },
  };
}

function parsed(json: Buffer): ReadJson {
  checkJsonText(json);
  const text = json.toString('utf8');
  let exact: InferRequest | undefined;
  return {
    form: readForm(text),
    dataOf: ({ data }, index) =>
      new ParsedData(data, () => (exact ??= parseWithLongIntegers(text) as InferRequest).inputs[index]?.data ?? []),
  };
}
