import type { ArtifactRef } from './reference.ts';

/** How a training is cut up; fixed at its first attempt, since every part of it changes the last bits of the weights. */
export interface TrainingPlan {
  /** Data-parallel processes. */
  readonly replicas: number;
  /** Threads inside an operation, per replica; 0 lets TensorFlow choose. */
  readonly threads: number;
  /** Micro-batches a replica's share of the batch is split into; a power of two that grows when memory runs out. */
  readonly split: number;
}

export interface StoredCheckpoint {
  readonly step: number;
  readonly ref: ArtifactRef;
}

/**
 * What survives an attempt of a training. Writes carry the token of the fence; a token that is not the newest of its
 * key is refused with `TRAINING_FENCED`, in the same transaction as the write.
 */
export interface TrainingStore {
  /** Takes the training over: the returned token is greater than every earlier one of this key. */
  acquireFence(key: string): Promise<number>;
  commitCheckpoint(a: { key: string; token: number; deviceClass: string } & StoredCheckpoint): Promise<void>;
  /** The checkpoint with the greatest step, of all or of those before a step. */
  latestCheckpoint(key: string, deviceClass: string, before?: number): Promise<StoredCheckpoint | undefined>;
  savePlan(a: { key: string; token: number; deviceClass: string; plan: TrainingPlan }): Promise<void>;
  plan(key: string, deviceClass: string): Promise<TrainingPlan | undefined>;
}
