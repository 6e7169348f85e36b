import { randomUUID } from 'node:crypto';
import type { InferRequest, InferResponse, ModelMetadata } from '../../contracts/inference.ts';
import { ApiError } from '../errors.ts';
import type { LoadedModel } from './loaded-model.ts';
import { inputDigestOf, summaryOf } from './record.ts';
import { toOutput, toTensor, type TensorData } from './tensors.ts';

/** How the protocol names what runs a graph. */
const PLATFORM = 'onnxruntime_onnx';

export interface InferTimings {
  /** Milliseconds in ONNX Runtime, with the wait for a thread. */
  readonly compute: number;
  /** Entries of the first axis over all inputs. */
  readonly rows: number;
}

/** What a model answered, and what is recorded of it. */
export interface Inferred<T> {
  readonly response: T;
  readonly timings: InferTimings;
  /** SHA-256 of the inputs. */
  readonly inputDigest: string;
  /** Summary of the outputs. */
  readonly output: string;
}

/**
 * Answers one request of the Open Inference Protocol V2.
 * @throws {ApiError} `TENSOR_INVALID`, `UNSUPPORTED_DATATYPE`, `MODEL_NOT_READY`, `UNAVAILABLE`
 */
export async function infer(model: LoadedModel, request: InferRequest): Promise<Inferred<InferResponse>> {
  const feeds = readInputs(model, request);
  const fetches = readOutputs(model, request);
  // Before the run, which may hand the buffers to another thread.
  const inputDigest = inputDigestOf(feeds);
  const startedAt = performance.now();
  const results = await model.run(feeds, fetches);
  const compute = performance.now() - startedAt;
  const outputs = fetches.flatMap((name) => {
    const tensor = results[name];
    return tensor ? [toOutput(name, tensor)] : [];
  });
  const rows = Math.max(1, ...Object.values(feeds).map(({ dims }) => dims[0] ?? 1));
  return {
    response: {
      model_name: model.model,
      model_version: model.version,
      id: request.id ?? randomUUID(),
      outputs,
    },
    timings: { compute, rows },
    inputDigest,
    output: summaryOf(outputs),
  };
}

export function metadataOf(model: LoadedModel, versions: readonly string[]): ModelMetadata {
  return {
    name: model.model,
    versions: [...versions],
    platform: PLATFORM,
    inputs: [...model.inputs],
    outputs: [...model.outputs],
  };
}

function readInputs(model: LoadedModel, { inputs }: InferRequest): Record<string, TensorData> {
  const feeds: Record<string, TensorData> = {};
  const known = new Map(model.inputs.map((input) => [input.name, input]));
  let batch: { readonly name: string; readonly rows: number } | undefined;
  for (const [index, input] of inputs.entries()) {
    const path = `body.inputs[${index}]`;
    const expected = known.get(input.name);
    if (!expected) {
      const names = model.inputs.map(({ name }) => name).join(', ');
      throw new ApiError('TENSOR_INVALID', `The model has no input ${input.name}; it takes ${names}.`, {
        field: `${path}.name`,
      });
    }
    if (Object.hasOwn(feeds, input.name)) {
      throw new ApiError('TENSOR_INVALID', `The input ${input.name} is there twice.`, { field: `${path}.name` });
    }
    const tensor = toTensor(input, expected, path);
    const rows = tensor.dims[0] ?? 1;
    batch ??= { name: input.name, rows };
    if (expected.shape[0] === -1 && rows !== batch.rows) {
      throw new ApiError('TENSOR_INVALID', `${input.name} has ${rows} rows, ${batch.name} has ${batch.rows}.`, {
        field: `${path}.shape`,
      });
    }
    feeds[input.name] = tensor;
  }
  const missing = model.inputs.find(({ name }) => !Object.hasOwn(feeds, name));
  if (missing) {
    throw new ApiError('TENSOR_INVALID', `The input ${missing.name} is missing.`, { field: 'body.inputs' });
  }
  return feeds;
}

function readOutputs(model: LoadedModel, { outputs }: InferRequest): string[] {
  const known = model.outputs.map(({ name }) => name);
  if (outputs === undefined || outputs.length === 0) return known;
  for (const [index, { name }] of outputs.entries()) {
    if (known.includes(name)) continue;
    throw new ApiError('TENSOR_INVALID', `The model has no output ${name}; it has ${known.join(', ')}.`, {
      field: `body.outputs[${index}].name`,
    });
  }
  return [...new Set(outputs.map(({ name }) => name))];
}
