import { ApiError } from '../../errors.ts';
import type { InputSpec, TensorData } from '../tensors.ts';
import type { CallOutput, InferCall } from './request.ts';
import { toTensor } from './to-tensor.ts';

/**
 * The inputs of a request as the graph takes them: every one of `specs`, once, and nothing else.
 * @throws {ApiError} `TENSOR_INVALID`, `UNSUPPORTED_DATATYPE`
 */
export function readInputs(specs: ReadonlyMap<string, InputSpec>, { inputs }: InferCall): Record<string, TensorData> {
  const feeds: Record<string, TensorData> = {};
  let batch: { readonly name: string; readonly rows: number } | undefined;
  for (const [index, input] of inputs.entries()) {
    const path = `body.inputs[${String(index)}]`;
    const expected = specs.get(input.name);
    if (!expected) {
      const message = `The model has no input ${input.name}; it takes ${namesOf(specs.keys())}.`;
      throw new ApiError('TENSOR_INVALID', message, { field: `${path}.name` });
    }
    if (Object.hasOwn(feeds, input.name)) {
      throw new ApiError('TENSOR_INVALID', `The input ${input.name} is there twice.`, { field: `${path}.name` });
    }
    const tensor = toTensor(input, expected, path);
    const rows = tensor.dims[0] ?? 1;
    batch ??= { name: input.name, rows };
    if (expected.shape[0] === -1 && rows !== batch.rows) {
      const message = `${input.name} has ${String(rows)} rows, ${batch.name} has ${String(batch.rows)}.`;
      throw new ApiError('TENSOR_INVALID', message, { field: `${path}.shape` });
    }
    feeds[input.name] = tensor;
  }
  for (const name of specs.keys()) {
    if (Object.hasOwn(feeds, name)) continue;
    throw new ApiError('TENSOR_INVALID', `The input ${name} is missing.`, { field: 'body.inputs' });
  }
  return feeds;
}

/**
 * The outputs that are asked for, each once, in the order of the request; all of `known` where it names none.
 * @throws {ApiError} `TENSOR_INVALID`
 */
export function readOutputs(known: readonly string[], { outputs, binaryOutput }: InferCall): readonly CallOutput[] {
  if (outputs === undefined) return known.map((name) => ({ name, binary: binaryOutput }));
  const chosen = new Map<string, CallOutput>();
  for (const [index, output] of outputs.entries()) {
    if (!known.includes(output.name)) {
      const message = `The model has no output ${output.name}; it has ${namesOf(known)}.`;
      throw new ApiError('TENSOR_INVALID', message, { field: `body.outputs[${String(index)}].name` });
    }
    if (!chosen.has(output.name)) chosen.set(output.name, output);
  }
  return [...chosen.values()];
}

/** As many as help; a model of a table has thousands. */
const SHOWN = 20;

function namesOf(names: Iterable<string>): string {
  const all = [...names];
  return all.length <= SHOWN
    ? all.join(', ')
    : `${all.slice(0, SHOWN).join(', ')} and ${String(all.length - SHOWN)} more`;
}
