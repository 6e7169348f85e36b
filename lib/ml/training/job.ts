import type { ModelConfig, TrainingConfig } from '../../../contracts/model-config.ts';
import { outputsOf, regressionOf } from '../../../contracts/prepared-data.ts';
import type { PreparedManifest } from '../../../contracts/prepared-data.ts';
import type { TrainingPlan } from '../../../contracts/training-store.ts';
import { MlError } from '../errors.ts';
import { networkParameters, parameterCount } from '../parameters.ts';
import type { Parameter } from '../parameters.ts';
import { shapeNetwork } from '../shapes.ts';
import type { ShapedLayer } from '../shapes.ts';
import type { SplitFiles } from './samples.ts';

/** Everything a training child is told; structured-cloned, so plain data. */
export interface TrainingJob {
  readonly model: ModelConfig;
  readonly training: TrainingConfig;
  readonly seed: number;
  readonly manifest: PreparedManifest;
  readonly files: { readonly train: SplitFiles; readonly validation: SplitFiles };
  readonly plan: TrainingPlan;
  readonly deviceClass: string;
  /** Digest of the configuration, seed and data; a checkpoint of another one is refused. */
  readonly digest: string;
  /** Verified file to resume from. */
  readonly checkpoint: string | undefined;
  /** Where the child writes files for the parent to store. */
  readonly folder: string;
  readonly segmentSeconds: number;
  /** Ends after this epoch. It is no part of the digest: learning rates go on as if all epochs were to come. */
  readonly stopAfterEpoch?: number;
}

/** What follows from a job. */
export interface Network {
  readonly layers: readonly ShapedLayer[];
  readonly parameters: readonly Parameter[];
  /** Length of the flat vector of parameters. */
  readonly size: number;
  /** Linear units of the last layer: classes, or 1. */
  readonly outputs: number;
  readonly task: ModelConfig['task'];
}

/** @throws MlError MODEL_CONFIG_INVALID */
export function networkOf(model: ModelConfig, manifest: PreparedManifest): Network {
  const { task } = model;
  const target = regressionOf(manifest);
  if ((task === 'regression') !== (target !== undefined)) {
    const holds = target === undefined ? `${manifest.labels.length} classes` : `the quantity ${target.name}`;
    throw new MlError('MODEL_CONFIG_INVALID', `task ${task} does not fit ${manifest.dataset}, which has ${holds}`, {
      field: 'task',
    });
  }
  const outputs = outputsOf(manifest);
  const layers = shapeNetwork(model, manifest.input.shape, outputs);
  const parameters = networkParameters(layers);
  return { layers, parameters, size: parameterCount(parameters), outputs, task };
}

/** The step after which the job is done. */
export function lastStep(job: TrainingJob): number {
  const { epochs } = job.training;
  return Math.min(epochs, job.stopAfterEpoch ?? epochs) * stepsPerEpoch(job);
}

export function stepsPerEpoch({ manifest, training }: Pick<TrainingJob, 'manifest' | 'training'>): number {
  return Math.ceil(manifest.splits.train.count / training.batchSize);
}
