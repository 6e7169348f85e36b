import { z } from 'zod';
import type { PreparedData } from './activities.ts';
import { ModelConfig, TrainingConfig } from './model-config.ts';
import { ArtifactRef, Name } from './reference.ts';
import { MAX_TRIALS, TrialMeasure } from './search.ts';

/** Stages of `runTrial`. */
export type TrialStage = 'train';

/** Input of `runTrial`: one configuration, trained up to an epoch. */
export const TrialInput = z.strictObject({
  /** From 1. */
  trial: z.int().min(1).max(MAX_TRIALS),
  /** Identifies the training over all rungs: that of the winner goes on under the same key. */
  key: z.string(),
  /** Index of the rung, from 0. */
  rung: z.int().min(0),
  stopAfterEpoch: TrainingConfig.shape.epochs,
  model: ModelConfig,
  training: TrainingConfig,
  seed: z.int(),
  /** From the parent's own stage, as the activity gave it. */
  data: z.custom<PreparedData>((value) => ArtifactRef.safeParse((value as { manifest?: unknown })?.manifest).success),
  dataset: Name,
  registerAs: Name,
  requestedBy: z.string(),
  tenant: z.string(),
});
export type TrialInput = z.infer<typeof TrialInput>;

/** Result of `runTrial`. */
export const TrialResult = z.strictObject({
  outcome: z.enum(['completed', 'rejected', 'cancelled']),
  reasons: z.array(z.string()),
  trial: z.int(),
  measure: TrialMeasure.optional(),
  /** History of the training so far (NDJSON). */
  history: ArtifactRef.optional(),
  /** In training steps, over all rungs so far. */
  seconds: z.number().optional(),
});
export type TrialResult = z.infer<typeof TrialResult>;
