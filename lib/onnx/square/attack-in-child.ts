import type { ArtifactRef } from '../../../contracts/reference.ts';
import { attackBatches } from '../../ml/index.ts';
import type { BatchesOptions, BatchJob } from '../../ml/index.ts';

export interface SquareJob extends BatchJob {
  /** Path of the served graph. */
  readonly onnx: string;
}

export interface AttackGraphOptions extends Omit<BatchesOptions, 'child'> {
  /** The graph that is served. */
  readonly onnx: ArtifactRef;
}

/** Where the queries run: answers of ONNX Runtime on the CPU do not depend on the machine's other devices. */
const DEVICE_CLASS = 'onnxruntime-cpu';
const MEMORY_BYTES = 3 * 2 ** 30;

/**
 * Attacks batches of the test set by asking the served graph for its answers, in a child process of limited memory that
 * runs ONNX Runtime; durable batch by batch, as every attack.
 *
 * @returns references to a `BatchResult` for each batch, in order
 * @throws OnnxError MODEL_LOAD_FAILED; AdversaryError ATTACK_UNSUPPORTED; HeavyError; the stores' errors
 */
export async function attackGraph({ onnx, ...options }: AttackGraphOptions): Promise<ArtifactRef[]> {
  return attackBatches({
    ...options,
    child: {
      entry: new URL('child.ts', import.meta.url),
      deviceClass: DEVICE_CLASS,
      memoryBytes: MEMORY_BYTES,
      subject: async () => ({ onnx: await options.artifacts.path(onnx) }),
    },
  });
}
