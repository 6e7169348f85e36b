import type { AttackTarget } from './attack-target.ts';
import type { AnswerKind, Extraction, ExtractionBudget, ExtractionCurve, ExtractionResult } from './extraction.ts';
import type { LoggedRun } from './logged-run.ts';
import type { ArtifactRef } from './reference.ts';
import type { RunContext } from './run-context.ts';

/** Results of the substitutes for one kind of answer, in the order of their numbers of queries. */
export interface ExtractionShard {
  readonly answers: AnswerKind;
  readonly points: readonly ArtifactRef[];
}

export interface ExtractionReportRequest {
  run: RunContext;
  target: AttackTarget;
  configSha256: string;
  extraction: Extraction;
  curve: ExtractionCurve;
  budgets: readonly ExtractionBudget[];
}

/** Queue `saip-cpu`: what a measured extraction comes to. */
export interface ExtractionCpuActivities {
  /** Compares the substitutes with the served graph on the samples that were kept from them. */
  summariseExtraction(a: {
    target: AttackTarget;
    extraction: Extraction;
    threshold: number;
    shards: readonly ExtractionShard[];
  }): Promise<{ configSha256: string; curve: ExtractionCurve; budgets: ExtractionBudget[] }>;
  /** Report as JSON, Markdown and plot, in the store and in MLflow. */
  reportExtraction(
    a: ExtractionReportRequest,
  ): Promise<{ report: NonNullable<ExtractionResult['report']>; mlflow: LoggedRun }>;
  /** Keeps the curve of a registered version, from which budgets are taken. */
  recordExtraction(a: {
    run: RunContext;
    target: AttackTarget;
    configSha256: string;
    extraction: Extraction;
    curve: ExtractionCurve;
    mlflowRunId: string;
  }): Promise<void>;
}

/** Queue `saip-gpu`. */
export interface ExtractionGpuActivities {
  /** Trains a substitute for each number of queries; every finished one is durable. */
  extractShard(a: {
    run: RunContext;
    target: AttackTarget;
    extraction: Extraction;
    answers: AnswerKind;
    /** Counted from 0. */
    shard: number;
    shards: number;
  }): Promise<ExtractionShard>;
}
