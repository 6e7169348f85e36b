import { columnsOf, regressionOf } from '../../contracts/prepared-data.ts';
import type { PreparedColumn, PreparedManifest } from '../../contracts/prepared-data.ts';
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
  /** Of a table, whose columns are inputs of their own. */
  readonly columns?: readonly PreparedColumn[] | undefined;
  readonly outputs: 'classes' | 'prediction';
}

/** What does not belong to the model's task is empty. */
export interface OnnxOutput {
  /** Row-major [samples, classes]. */
  readonly probabilities: Float32Array;
  /** Predicted class of each sample. */
  readonly labels: Int32Array;
  /** Predicted quantity of each sample. */
  readonly predictions: Float32Array;
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
  /** Raw samples, row-major: stored, or in a file of the caller's own at this path. */
  readonly samples: ArtifactRef | string;
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
export function runOnnx({ manifest, ...rest }: RunOnnxOptions): Promise<OnnxOutput> {
  const { input, splits } = manifest;
  const { x: samples, count } = splits.test;
  const outputs = regressionOf(manifest) === undefined ? 'classes' : 'prediction';
  return runSamples(
    { ...rest, samples, shape: input.shape, dtype: input.dtype, count },
    { outputs, columns: columnsOf(manifest) },
  );
}

/** Classifies stored samples of one input tensor, as `runOnnx`. @throws as `runOnnx` */
export function predictOnnx(o: PredictOnnxOptions): Promise<OnnxOutput> {
  return runSamples(o, { outputs: 'classes' });
}

async function runSamples(o: PredictOnnxOptions, task: Pick<OnnxInput, 'columns' | 'outputs'>): Promise<OnnxOutput> {
  const childInput: OnnxInput = {
    onnx: await o.store.path(o.onnx),
    samples: typeof o.samples === 'string' ? o.samples : await o.store.path(o.samples),
    shape: o.shape,
    dtype: o.dtype,
    count: o.count,
    ...task,
  };
  return runChild<OnnxOutput, OnnxProgress>({
    entry: new URL('child.ts', import.meta.url),
    input: childInput,
    onReport: o.onProgress,
    signal: o.signal,
  });
}
