import type { Parameters } from '../../../contracts/inference.ts';
import { datatypeOfTensor, type TensorData } from '../tensors.ts';
import { writeRaw } from './raw-elements.ts';
import { HEADER_LENGTH } from './raw-tensors.ts';

export interface AnswerOutput {
  readonly name: string;
  readonly tensor: TensorData;
  /** Raw, after the JSON. */
  readonly binary: boolean;
}

/** What a model answers to one request. */
export interface InferAnswer {
  readonly model: string;
  readonly version: string;
  readonly id: string;
  readonly parameters?: Parameters | undefined;
  readonly outputs: readonly AnswerOutput[];
}

export interface EncodedAnswer {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

const JSON_HEADERS = { 'content-type': 'application/json; charset=utf-8' };

/**
 * Writes an answer of the Open Inference Protocol V2, with raw tensors after the JSON where they are asked for. 64-bit
 * integers are JSON numbers with all their digits. JSON has no NaN and no infinity: `null` stands for either.
 */
export function encodeInferResponse({ model, version, id, parameters, outputs }: InferAnswer): EncodedAnswer {
  const raw: Buffer[] = [];
  const texts = outputs.map(({ name, tensor, binary }) => {
    const head = `"name":${JSON.stringify(name)},"shape":[${tensor.dims.join(',')}],"datatype":"${datatypeOfTensor(tensor)}"`;
    if (!binary) return `{${head},"data":${elements(tensor)}}`;
    const bytes = writeRaw(tensor);
    raw.push(bytes);
    return `{${head},"parameters":{"binary_data_size":${String(bytes.length)}}}`;
  });
  const own = parameters === undefined ? '' : `"parameters":${JSON.stringify(parameters)},`;
  const names = `"model_name":${JSON.stringify(model)},"model_version":${JSON.stringify(version)},"id":${JSON.stringify(id)}`;
  const text = `{${names},${own}"outputs":[${texts.join(',')}]}`;
  // As text it leaves together with its headers.
  if (raw.length === 0) return { headers: JSON_HEADERS, body: text };
  const json = Buffer.from(text, 'utf8');
  const body = Buffer.concat([json, ...raw]);
  const headers = {
    'content-type': 'application/octet-stream',
    [HEADER_LENGTH]: String(json.length),
  };
  return { headers, body };
}

/** A JSON array of the elements, flat and row-major. */
function elements({ type, data }: TensorData): string {
  if (!ArrayBuffer.isView(data)) return JSON.stringify(data);
  if (type === 'bool') return `[${Array.from(data as Uint8Array, (value) => value !== 0).join(',')}]`;
  const floating = data instanceof Float32Array || data instanceof Float64Array;
  if (floating && !data.every(Number.isFinite)) return JSON.stringify(Array.from(data));
  return `[${data.join(',')}]`;
}
