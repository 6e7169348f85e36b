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

interface CommonOptions {
  readonly onnx: ArtifactRef;
  readonly store: Pick<ArtifactStore, 'path'>;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: OnnxProgress) => void;
}

export interface RunOnnxOptions extends CommonOptions {
  readonly manifest: PreparedManifest;
}

export interface PredictOnnxOptions extends CommonOptions {
  /** Raw samples, row-major. */
  readonly samples: ArtifactRef;
  /** Shape of one sample. */
  readonly shape: readonly number[];
  readonly dtype: 'uint8' | 'float32';
  readonly count: number;
}

/**
 * Predicts the whole test split with ONNX Runtime, in a child process: `run` is synchronous native code.
 *
 * @throws OnnxError (as HeavyError with its code) `MODEL_LOAD_FAILED`, `TENSOR_INVALID`; the store's errors
 */
export function runOnnx({ manifest: { input, splits }, ...rest }: RunOnnxOptions): Promise<OnnxOutput> {
  const { x: samples, count } = splits.test;
  return predictOnnx({ ...rest, samples, shape: input.shape, dtype: input.dtype, count });
}

/** Predicts stored samples, as `runOnnx`. @throws as `runOnnx` */
export async function predictOnnx(o: PredictOnnxOptions): Promise<OnnxOutput> {
  const childInput: OnnxInput = {
    onnx: await o.store.path(o.onnx),
    samples: await o.store.path(o.samples),
    shape: o.shape,
    dtype: o.dtype,
    count: o.count,
  };
  return runChild<OnnxOutput, OnnxProgress>({
    entry: new URL('child.ts', import.meta.url),
    input: childInput,
    onReport: o.onProgress,
    signal: o.signal,
  });
}
