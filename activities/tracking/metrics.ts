import { z } from 'zod';
import type { EvaluatedModel, TrainedModel } from '../../contracts/activities.ts';
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
  const names = { accuracy: 'accuracy', macroF1: 'macro_f1', logLoss: 'log_loss', ece: 'ece' } as const;
  return Object.entries(names).flatMap(([field, name]) => {
    const { value, low, high } = summary[field as keyof typeof names];
    const point = (key: string, number: number): Metric => ({ key: `test/${key}`, value: number, ...on });
    return [point(name, value), point(`${name}_low`, low), point(`${name}_high`, high)];
  });
}
