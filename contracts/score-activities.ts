import type { PinnedModel, ScoredShard, ScoreInput } from './batch-score.ts';
import type { ArtifactRef } from './reference.ts';
import type { RunContext } from './run-context.ts';

/** A file that was read once, and cut where records end. */
export interface PlannedScore {
  /** `ScorePlan` (JSON). */
  readonly plan: ArtifactRef;
  readonly records: number;
  readonly shards: number;
}

/** The rows of the day are used up, and come back in so many seconds. */
export interface QuotaWait {
  readonly waitSeconds: number;
}

export interface ScoreShardRequest {
  readonly run: RunContext;
  readonly input: ScoreInput;
  readonly pinned: PinnedModel;
  readonly plan: ArtifactRef;
  /** Counted from 0. */
  readonly shard: number;
}

/** Of the queue `saip-cpu`: a file scored in shards of whole records. */
export interface ScoreActivities {
  /** What the alias means now, its signature verified, and that it takes named features. */
  pinModel(a: { input: ScoreInput }): Promise<PinnedModel>;
  planScore(a: { input: ScoreInput; pinned: PinnedModel }): Promise<PlannedScore>;
  /**
   * Verifies the pinned version anew, charges the records to their caller once, scores them, and keeps the result with
   * its record in the audit log. Repeated, it gives what was kept.
   */
  scoreShard(a: ScoreShardRequest): Promise<ScoredShard | QuotaWait>;
  /** One file of all shards, in their order. */
  joinScores(a: { run: RunContext; plan: ArtifactRef }): Promise<ScoredShard>;
}
