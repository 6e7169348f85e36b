import type { z } from 'zod';
import type { LearningRate } from '../../../contracts/model-config.ts';

/**
 * Learning rate of a step, counted from 1: a linear rise over the warm-up, then `initial` itself (`constant`) or its
 * fall to 0 at the end of the last step, along a line or half a cosine (Loshchilov and Hutter, 2017, without restarts).
 */
export function learningRateAt(config: z.infer<typeof LearningRate>, step: number, steps: number): number {
  const { initial, schedule, warmupSteps } = config;
  if (step <= warmupSteps) return (initial * step) / warmupSteps;
  const progress = (step - warmupSteps - 1) / Math.max(1, steps - warmupSteps);
  switch (schedule) {
    case 'constant':
      return initial;
    case 'linear':
      return initial * (1 - progress);
    case 'cosine':
      return (initial * (1 + Math.cos(Math.PI * progress))) / 2;
  }
}
