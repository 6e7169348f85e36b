import { z } from 'zod';

export const StageStatus = z.enum(['pending', 'running', 'waiting', 'done', 'reused', 'skipped', 'failed']);
export type StageStatus = z.infer<typeof StageStatus>;

export const StageProgress = z.object({
  name: z.string(),
  status: StageStatus,
  /** ISO 8601, UTC. */
  startedAt: z.string().optional(),
  endedAt: z.string().optional(),
  detail: z.string().optional(),
  /** Usual share of the whole duration, percent. */
  share: z.number().min(0).max(100).optional(),
});
export type StageProgress = z.infer<typeof StageProgress>;

/** Where a workflow or rollout ended as a business result; a refusal is not a failure. */
export const Outcome = z.enum(['running', 'completed', 'rejected', 'cancelled', 'failed']);
export type Outcome = z.infer<typeof Outcome>;

/** Answer of the query `progress`, and the body of every SSE event. `percent` is 0..100, `eta` is in seconds. */
export const Progress = z.object({
  stage: z.string(),
  stages: z.array(StageProgress),
  outcome: Outcome,
  percent: z.number().min(0).max(100),
  eta: z.number().nonnegative().optional(),
  metrics: z.record(z.string(), z.number()),
  reasons: z.array(z.string()).optional(),
  /** Set while a stage waits for `approve`: what a person is asked to decide about. */
  approval: z
    .object({ stage: z.string(), subjectDigest: z.string(), requestedBy: z.string(), deadline: z.string() })
    .optional(),
});
export type Progress = z.infer<typeof Progress>;

/** Heartbeat details of `trainModel`; the API merges them into `Progress` from the pending activity. */
export const TrainingHeartbeat = z.object({
  kind: z.literal('training'),
  epoch: z.int(),
  epochs: z.int(),
  step: z.int(),
  steps: z.int(),
  loss: z.number(),
  /** Samples a second over the last interval. */
  throughput: z.number(),
  /** Seconds until the last step. */
  eta: z.number(),
  /** Step of the newest durable checkpoint, 0 for none. */
  checkpointStep: z.int(),
  device: z.string(),
});
export type TrainingHeartbeat = z.infer<typeof TrainingHeartbeat>;

/** Heartbeat details of `attackShard`; the API merges them into `Progress` from the pending activities. */
export const AttackHeartbeat = z.object({
  kind: z.literal('attack'),
  /** Shards run beside each other where there are devices. */
  shard: z.int(),
  shards: z.int(),
  /** What is being done, e.g. `pgd-20 at 0.2`. */
  attack: z.string(),
  /** Of the shard, 0…1. */
  done: z.number().min(0).max(1),
  /** Samples of the shard whose results are durable. */
  durable: z.int(),
  samples: z.int(),
  /** Gradients a second over the last interval, one a sample. */
  throughput: z.number(),
  /** Seconds until the end of the shard. */
  eta: z.number(),
  device: z.string(),
});
export type AttackHeartbeat = z.infer<typeof AttackHeartbeat>;
