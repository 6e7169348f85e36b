import { randomUUID } from 'node:crypto';
import type { ModelMetadata } from '../../contracts/inference.ts';
import { rowsOf } from './batch.ts';
import type { RunCall } from './batcher.ts';
import {
  readInputs,
  readOutputs,
  topClasses,
  type AnswerOutput,
  type InferAnswer,
  type InferCall,
} from './codec/index.ts';
import type { Servable } from './guard/index.ts';
import { inputDigestOf, summaryOf } from './record.ts';
import type { InputSpec } from './tensors.ts';

/** How the protocol names what runs a graph. */
const PLATFORM = 'onnxruntime_onnx';

export interface InferTimings {
  /** Milliseconds in ONNX Runtime, with the wait for a thread. */
  readonly compute: number;
  /** Entries of the first axis over all inputs. */
  readonly rows: number;
  /** Milliseconds before it, in the queue of the model. */
  readonly queued?: number;
  /** Requests that shared the call. */
  readonly batch?: number;
  /** Milliseconds until the request was a tensor, and from the result to the answer. */
  readonly input?: number;
  readonly output?: number;
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
export async function infer(model: Servable, call: InferCall, run: RunCall = {}): Promise<Inferred<InferAnswer>> {
  const begunAt = performance.now();
  const feeds = readInputs(specsOf(model), call);
  const known = model.outputs.map(({ name }) => name);
  const wanted = readOutputs(known, call);
  // Before the run, which may hand the buffers to another thread.
  const inputDigest = inputDigestOf(feeds);
  const rows = rowsOf(feeds);
  const startedAt = performance.now();
  const names = wanted.map(({ name }) => name);
  const results = await model.run(feeds, names, run);
  const endedAt = performance.now();
  const raw = wanted.flatMap(({ name, binary, classes }) => {
    const tensor = results[name];
    return tensor === undefined ? [] : [{ name, tensor, binary, classes }];
  });
  const outputs = raw.map(({ classes, ...output }): AnswerOutput => {
    if (classes === undefined) return output;
    return { ...output, tensor: topClasses(output.tensor, classes, model.facts?.labels) };
  });
  const told = model.told?.();
  return {
    response: {
      model: model.model,
      version: model.version,
      id: call.id ?? randomUUID(),
      ...((call.own ?? told) && { parameters: { ...call.own, ...told } }),
      outputs,
    },
    timings: {
      ...timingsOf(run, rows),
      input: startedAt - begunAt,
      output: performance.now() - endedAt,
    },
    inputDigest,
    output: summaryOf(raw),
  };
}

/** Where the time of a call went. */
export function timingsOf({ ran }: RunCall, rows: number): InferTimings {
  if (ran === undefined) return { compute: 0, rows };
  const { askedAt, startedAt, endedAt, batch } = ran;
  return { compute: endedAt - startedAt, queued: startedAt - askedAt, batch, rows };
}

export function metadataOf(model: Servable, versions: readonly string[]): ModelMetadata {
  return {
    name: model.model,
    versions: [...versions],
    platform: PLATFORM,
    inputs: [...model.inputs],
    outputs: [...model.outputs],
  };
}

const specs = new WeakMap<Servable['inputs'], ReadonlyMap<string, InputSpec>>();

/** The inputs of a model by name; those of features that may be missing take NaN. */
function specsOf(model: Servable): ReadonlyMap<string, InputSpec> {
  const known = specs.get(model.inputs);
  if (known !== undefined) return known;
  const columns = model.facts?.version === 2 ? model.facts.columns : [];
  const missing = new Set(
    columns.flatMap((column) => (column.kind === 'numeric' && column.imputed !== undefined ? [column.name] : [])),
  );
  const made = new Map(model.inputs.map((input) => [input.name, { ...input, missing: missing.has(input.name) }]));
  specs.set(model.inputs, made);
  return made;
}
