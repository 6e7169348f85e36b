import type { ArtifactStore } from '../artifacts/index.ts';
import type { BatchScores, StepStore } from '../clients/index.ts';

export interface CollectScoresOptions {
  readonly scores: Pick<BatchScores, 'removeExpired'>;
  /** Knows what other rows of the platform name. */
  readonly steps: Pick<StepStore, 'mentioned'>;
  readonly artifacts: Pick<ArtifactStore, 'remove'>;
  /** Days that what files came to is kept; default 7. */
  readonly days?: number;
}

const DAYS = 7;
const DAY_MS = 86_400_000;

/**
 * Removes what files came to whose time is over, but for what somebody has use for: predictions may have been sent to be
 * scored themselves.
 * @returns how many artifacts were removed
 * @throws DatabaseError
 */
export async function collectScores({ scores, steps, artifacts, days = DAYS }: CollectScoresOptions): Promise<number> {
  const refs = await scores.removeExpired(days);
  const needed = await steps.mentioned(refs.map(({ sha256 }) => sha256));
  const before = Date.now() - days * DAY_MS;
  let removed = 0;
  for (const ref of refs) {
    if (!needed.has(ref.sha256) && (await artifacts.remove(ref, { before }))) removed += 1;
  }
  return removed;
}
