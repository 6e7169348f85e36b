import { z } from 'zod';
import { EvaluationError } from './errors.ts';

/** One logged training step; rates are samples a second. */
export const HistoryPoint = z.looseObject({
  step: z.int(),
  epoch: z.number(),
  loss: z.number(),
  accuracy: z.number().optional(),
  valLoss: z.number().optional(),
  valAccuracy: z.number().optional(),
  valRmse: z.number().optional(),
  valR2: z.number().optional(),
  learningRate: z.number().optional(),
});
export type HistoryPoint = z.infer<typeof HistoryPoint>;

/** Reads a training history of one JSON object a line. @throws EvaluationError naming the first wrong line. */
export function parseHistory(ndjson: string): HistoryPoint[] {
  return ndjson
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line, index) => {
      try {
        return HistoryPoint.parse(JSON.parse(line));
      } catch (cause) {
        throw new EvaluationError('EVALUATION_INPUT_INVALID', `line ${index + 1} of the training history is no step`, {
          cause,
          field: 'history',
        });
      }
    });
}
