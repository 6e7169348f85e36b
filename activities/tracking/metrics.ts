import { z } from 'zod';
import type { EvaluatedModel, TrainedModel } from '../../contracts/activities.ts';
import { metricsOf } from '../../contracts/train-register-deploy.ts';
import type { NamedMetric } from '../../contracts/train-register-deploy.ts';
import type { Metric } from '../../lib/clients/index.ts';

const HistoryLine = z.object({ step: z.int() }).catchall(z.unknown());

/** Fields of a history line → metrics; MLflow's UI makes a section of what stands before the slash. */
const SERIES: Readonly<Record<string, string>> = {
  epoch: 'train/epoch',
  loss: 'train/loss',
  accuracy: 'train/accuracy',
  learningRate: 'train/learning_rate',
  throughput: 'train/samples_per_second',
  valLoss: 'validation/loss',
  valAccuracy: 'validation/accuracy',
  valRmse: 'validation/rmse',
  valR2: 'validation/r2',
};

/**
 * Every number of the training's history.
 * @param startedAt of the run, milliseconds since the epoch: time stamps follow from it and the step, so that a retry
 * logs the same points
 */
export function trainingMetrics(history: string, { steps, seconds }: TrainedModel, startedAt: number): Metric[] {
  const lines = history.split('\n').filter((line) => line.trim() !== '');
  return lines.flatMap((line) => {
    const point = HistoryLine.parse(JSON.parse(line));
    const timestamp = Math.round(startedAt + (1000 * seconds * point.step) / Math.max(steps, 1));
    return Object.entries(SERIES).flatMap(([field, key]) => {
      const value = point[field];
      return typeof value === 'number' && Number.isFinite(value) ? [{ key, value, step: point.step, timestamp }] : [];
    });
  });
}

/** Metrics of the summary, in MLflow's spelling. */
const SUMMARY: Readonly<Record<NamedMetric['name'], string>> = {
  accuracy: 'accuracy',
  macroF1: 'macro_f1',
  logLoss: 'log_loss',
  ece: 'ece',
  rmse: 'rmse',
  mae: 'mae',
  r2: 'r2',
};

export interface EvaluatedOn {
  readonly step: number;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly modelId: string;
  readonly datasetName: string;
  readonly datasetDigest: string;
}

/** The test metrics with the bounds of their 95 % intervals, tied to the logged model and the test set. */
export function evaluationMetrics({ summary }: EvaluatedModel, on: EvaluatedOn): Metric[] {
  return metricsOf(summary).flatMap(({ name, interval: { value, low, high } }) => {
    const point = (key: string, number: number): Metric => ({ key: `test/${key}`, value: number, ...on });
    const key = SUMMARY[name];
    return [point(key, value), point(`${key}_low`, low), point(`${key}_high`, high)];
  });
}
