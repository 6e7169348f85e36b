import { z } from 'zod';

/** How often, and for how many nanoseconds altogether. */
export const StatisticDuration = z.object({ count: z.int(), ns: z.int() });
export type StatisticDuration = z.infer<typeof StatisticDuration>;

/** Of requests: answered, refused or failed, waiting, and what the answered ones spent where. */
export const InferenceStatistics = z.object({
  success: StatisticDuration,
  fail: StatisticDuration,
  queue: StatisticDuration,
  compute_input: StatisticDuration,
  compute_infer: StatisticDuration,
  compute_output: StatisticDuration,
});

/** Statistics extension of the Open Inference Protocol: of one version, in one process, since it started. */
export const ModelStatistics = z.object({
  name: z.string(),
  version: z.string(),
  /** Milliseconds since the epoch, 0 for never. */
  last_inference: z.int(),
  /** Rows. */
  inference_count: z.int(),
  /** Calls of the runtime. */
  execution_count: z.int(),
  inference_stats: InferenceStatistics,
});
export type ModelStatistics = z.infer<typeof ModelStatistics>;

export const StatisticsResponse = z.object({ model_stats: z.array(ModelStatistics) });
