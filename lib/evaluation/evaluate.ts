import { regressionOf } from '../../contracts/prepared-data.ts';
import type { PreparedManifest } from '../../contracts/prepared-data.ts';
import type { ArtifactStore } from '../artifacts/index.ts';
import { runChild } from '../heavy/index.ts';
import type { Picture } from './plots/render.ts';
import type { RegressionReport } from './regression.ts';
import type { ClassificationReport } from './report.ts';

export type EvaluationReport = ClassificationReport | RegressionReport;

export interface EvaluationProgress {
  readonly stage: 'metrics' | 'plots';
}

export interface EvaluationOutput {
  readonly report: EvaluationReport;
  /** By file name without extension. */
  readonly pictures: Readonly<Record<string, Picture>>;
}

/** What crosses to the child. */
export interface EvaluationInput {
  readonly subject: {
    readonly model: string;
    readonly dataset: string;
    readonly testSet: { readonly x: string; readonly y: string };
    readonly labels: readonly string[];
  };
  /** What a regression predicts. */
  readonly target?: { readonly name: string; readonly unit?: string | undefined } | undefined;
  readonly input: { readonly shape: readonly number[]; readonly dtype: 'uint8' | 'float32' };
  readonly files: { readonly x: string; readonly y: string };
  readonly logits: Float32Array;
  readonly history: string;
  readonly seed: number;
}

export interface EvaluateOptions {
  readonly model: string;
  readonly manifest: PreparedManifest;
  readonly store: Pick<ArtifactStore, 'path'>;
  /** Row-major [test samples, classes]; predictions of a regression. */
  readonly logits: Float32Array;
  /** Training history, one JSON object a line. */
  readonly history: string;
  /** Seed of the bootstrap. */
  readonly seed: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: EvaluationProgress) => void;
}

/**
 * Metrics with intervals and pictures of a model on the test split. Runs in a child process: resampling and drawing
 * take about two seconds of computation, in which a worker's event loop must keep turning.
 *
 * @throws EvaluationError (as HeavyError with its code) where the logits do not belong to the test split; the artifact
 * store's errors; CHILD_CRASHED.
 */
export async function evaluate(o: EvaluateOptions): Promise<EvaluationOutput> {
  const { dataset, labels, input, splits } = o.manifest;
  const { x, y } = splits.test;
  const childInput: EvaluationInput = {
    subject: { model: o.model, dataset, testSet: { x: x.sha256, y: y.sha256 }, labels },
    target: targetOf(o.manifest),
    input: { shape: input.shape, dtype: input.dtype },
    files: { x: await o.store.path(x), y: await o.store.path(y) },
    logits: o.logits,
    history: o.history,
    seed: o.seed,
  };
  return runChild<EvaluationOutput, EvaluationProgress>({
    entry: new URL('child.ts', import.meta.url),
    input: childInput,
    onReport: o.onProgress,
    signal: o.signal,
  });
}

function targetOf(manifest: PreparedManifest): EvaluationInput['target'] {
  const regression = regressionOf(manifest);
  return regression && { name: regression.name, unit: regression.unit };
}
