import { z } from 'zod';
import { MlError } from '../errors.ts';
import { flatten, unflatten } from '../parameters.ts';
import type { Parameter } from '../parameters.ts';
import { readSafetensors, writeSafetensors } from '../safetensors.ts';
import { HistoryState } from './history.ts';
import type { ReplicaState } from './replica.ts';

const FORMAT = 'saip-checkpoint-1';

const Position = z.strictObject({
  /** Finished steps. */
  step: z.int().min(0),
  /** Time spent in steps, over all attempts. */
  seconds: z.number().min(0),
  /** Times the training was taken up again. */
  resumes: z.int().min(0),
  history: HistoryState,
});
export type Position = z.infer<typeof Position>;

/** What must be equal for a checkpoint to continue a training with the same bits. */
const Identity = z.strictObject({
  digest: z.string(),
  deviceClass: z.string(),
  replicas: z.int(),
  threads: z.int(),
});
export type Identity = z.infer<typeof Identity>;

/**
 * A checkpoint as one safetensors file: the weights under their own names, each accumulator under
 * `optimizer.<accumulator>.<parameter>`, and position and identity as JSON among the metadata. Float32 values are kept
 * exactly, so nothing is recomputed when training goes on.
 */
export function encodeCheckpoint(
  parameters: readonly Parameter[],
  state: ReplicaState,
  identity: Identity,
  position: Position,
): Uint8Array {
  const tensors = unflatten(parameters, state.weights);
  for (const [name, values] of Object.entries(state.accumulators)) {
    for (const [key, tensor] of unflatten(parameters, values, prefix(name))) tensors.set(key, tensor);
  }
  return writeSafetensors(tensors, {
    format: FORMAT,
    identity: JSON.stringify(identity),
    position: JSON.stringify(position),
  });
}

/**
 * @throws MlError CHECKPOINT_INCOMPATIBLE if it is of another training, device class or layout; WEIGHTS_INVALID if it is
 * damaged.
 */
export function decodeCheckpoint(
  bytes: Uint8Array,
  parameters: readonly Parameter[],
  accumulators: readonly string[],
  expected: Identity,
): { state: ReplicaState; position: Position } {
  const { tensors, metadata } = readSafetensors(bytes);
  if (metadata['format'] !== FORMAT) throw incompatible('format');
  const identity = Identity.parse(JSON.parse(metadata['identity'] ?? '{}'));
  for (const key of ['digest', 'deviceClass', 'replicas', 'threads'] as const) {
    if (identity[key] !== expected[key]) throw incompatible(key);
  }
  const restored = accumulators.map((name) => [name, flatten(parameters, tensors, prefix(name))]);
  return {
    state: {
      weights: flatten(parameters, tensors),
      accumulators: Object.fromEntries(restored) as Record<string, Float32Array>,
    },
    position: Position.parse(JSON.parse(metadata['position'] ?? '{}')),
  };
}

function prefix(accumulator: string): string {
  return `optimizer.${accumulator}.`;
}

function incompatible(field: string): MlError {
  return new MlError('CHECKPOINT_INCOMPATIBLE', `the checkpoint has another ${field} than this training`, { field });
}
