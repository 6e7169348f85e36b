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
 * @param write makes of the answer what is sent
 * @throws {ApiError} `TENSOR_INVALID`, `UNSUPPORTED_DATATYPE`, `MODEL_NOT_READY`, `UNAVAILABLE`; why patience was over
 */
export async function infer<T>(
  model: Servable,
  call: InferCall,
  run: RunCall,
  write: (answer: InferAnswer) => T,
): Promise<Inferred<T>> {
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
  // Nobody is told that they were answered who were told before that they were not.
  if (run.patience?.over !== undefined) throw run.patience.over;
  const raw: AnswerOutput[] = [];
  const outputs: AnswerOutput[] = [];
  for (const { name, binary, classes } of wanted) {
    const tensor = results[name];
    if (tensor === undefined) continue;
    const output = { name, tensor, binary };
    raw.push(output);
    const best = classes === undefined ? tensor : topClasses(tensor, classes, model.facts?.labels);
    outputs.push(classes === undefined ? output : { name, tensor: best, binary });
  }
  const told = model.told?.();
  const parameters = call.own === undefined && told === undefined ? undefined : { ...call.own, ...told };
  const { model: name, version } = model;
  return {
    response: write({ model: name, version, id: call.id ?? randomUUID(), parameters, outputs }),
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
