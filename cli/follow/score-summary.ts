import type { ScoreResult } from '../../contracts/batch-score.ts';
import { renderPairs } from '../render/table.ts';

/** What a file came to, and how to get it. */
export function renderScore({ scoredBy, counts, shards, predictions }: ScoreResult, workflowId: string): string {
  return renderPairs([
    ['scored by', scoredBy && `${scoredBy.model} ${scoredBy.version}`],
    ['digest', scoredBy?.digest],
    ['records', counts && `${String(counts.scored)} scored, ${String(counts.refused)} refused`],
    ['out of range', counts && String(counts.outOfRange)],
    ['shards', shards],
    ['predictions', predictions && `sha-256 ${predictions.sha256}`],
    ['get them', predictions && `saip predictions ${workflowId} --output FILE`],
    ['refused', counts && counts.refused > 0 ? `saip predictions ${workflowId} --refused` : undefined],
  ]);
}
