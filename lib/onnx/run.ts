import type { PreparedManifest } from '../../contracts/prepared-data.ts';
import type { ArtifactRef } from '../../contracts/reference.ts';
import type { ArtifactStore } from '../artifacts/index.ts';
import { runChild } from '../heavy/index.ts';

/** What crosses to the child; paths were verified by the store just before. */
export interface OnnxInput {
  readonly onnx: string;
  readonly samples: string;
  readonly shape: readonly number[];
  readonly dtype: 'uint8' | 'float32';
  readonly count: number;
}

export interface OnnxOutput {
  /** Row-major [samples, classes]. */
  readonly probabilities: Float32Array;
  /** Predicted class of each sample. */
  readonly labels: Int32Array;
}

export interface OnnxProgress {
  readonly done: number;
  readonly total: number;
}

export interface RunOnnxOptions {
  readonly onnx: ArtifactRef;
  readonly manifest: PreparedManifest;
  readonly store: Pick<ArtifactStore, 'path'>;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: OnnxProgress) => void;
}

/**
 * Predicts the whole test split with ONNX Runtime, in a child process: `run` is synchronous native code.
 *
 * @throws OnnxError (as HeavyError with its code) `MODEL_LOAD_FAILED`, `TENSOR_INVALID`; the store's errors
 */
export async function runOnnx(o: RunOnnxOptions): Promise<OnnxOutput> {
  const { input, splits } = o.manifest;
  const childInput: OnnxInput = {
    onnx: await o.store.path(o.onnx),
    samples: await o.store.path(splits.test.x),
    shape: input.shape,
    dtype: input.dtype,
    count: splits.test.count,
  };
  return runChild<OnnxOutput, OnnxProgress>({
    entry: new URL('child.ts', import.meta.url),
    input: childInput,
    onReport: o.onProgress,
    signal: o.signal,
  });
}
