import type { ScoreCounts, ScoreFormat } from '../../contracts/batch-score.ts';
import type { ArtifactRef } from '../../contracts/reference.ts';
import type { TableFacts } from '../../contracts/registry.ts';
import type { ArtifactStore } from '../artifacts/index.ts';
import { runChild } from '../heavy/index.ts';
import type { Hardening } from '../misuse/index.ts';

type Facts = Pick<TableFacts, 'columns' | 'missing' | 'labels' | 'target'>;

/** What crosses to the child. Bytes were verified; the graph is once more, before it is loaded. */
export interface ShardJob {
  readonly graph: { readonly path: string; readonly sha256: string };
  readonly facts: Facts;
  readonly version: string;
  readonly bytes: Uint8Array;
  readonly format: ScoreFormat;
  readonly columns: readonly string[];
  /** Number and line of the first record. */
  readonly record: number;
  readonly line: number;
  /** What is kept from the answers. */
  readonly hardening: Hardening;
  /** Whether records with a value unlike those of the training are refused. */
  readonly refuseOutOfRange: boolean;
  /** Files that are written: NDJSON. */
  readonly predictions: string;
  readonly refused: string;
}

export interface ShardScore {
  readonly counts: ScoreCounts;
  /** Summary of the predictions, for the audit log. */
  readonly output: string;
}

export interface ShardProgress {
  readonly done: number;
}

export interface ScoreShardOptions extends Omit<ShardJob, 'graph'> {
  /** The verified version's graph. */
  readonly onnx: ArtifactRef;
  readonly store: Pick<ArtifactStore, 'path'>;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ShardProgress) => void;
}

/**
 * Scores the records of a shard in a child process, as ONNX Runtime is synchronous native code, and writes a line for
 * each into one of two files.
 * @throws ScoringError (as HeavyError with its code) `MODEL_LOAD_FAILED`, `TENSOR_INVALID`; the store's errors
 */
export async function scoreInChild({
  onnx,
  store,
  signal,
  onProgress,
  ...job
}: ScoreShardOptions): Promise<ShardScore> {
  const input: ShardJob = { ...job, graph: { path: await store.path(onnx), sha256: onnx.sha256 } };
  return runChild<ShardScore, ShardProgress>({
    entry: new URL('child.ts', import.meta.url),
    input,
    onReport: onProgress,
    signal,
  });
}
