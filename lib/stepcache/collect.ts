import type { StepCollection } from '../../contracts/step-cache.ts';
import type { ArtifactStore } from '../artifacts/index.ts';
import type { Datasets, StepStore } from '../clients/index.ts';

export interface CollectOptions {
  readonly steps: Pick<StepStore, 'removeExpired' | 'mentioned'>;
  /** Files that people sent for data sets. */
  readonly uploads: Pick<Datasets, 'removeUnused'>;
  readonly artifacts: Pick<ArtifactStore, 'remove'>;
  /**
   * Artifacts written, or written again, in the last so many seconds stay: a run that is not at its end may name them,
   * and no table does yet.
   */
  readonly graceSeconds?: number;
}

/** Longer than any run between writing an artifact and naming it somewhere. */
const GRACE_SECONDS = 86_400;
const CSV = 'text/csv';

/**
 * Removes expired entries and files that never became a data set, then those of their artifacts that nothing else names: no other entry, registered version,
 * checkpoint, attack, release, agent's step, lineage, data set or file that was sent, and no run in MLflow. A process that dies in between leaves
 * artifacts without an entry; they cost space and harm nothing.
 * @throws DatabaseError
 */
export async function collectSteps({
  steps,
  uploads,
  artifacts,
  graceSeconds = GRACE_SECONDS,
}: CollectOptions): Promise<StepCollection> {
  const expired = await steps.removeExpired();
  const unused = await uploads.removeUnused(graceSeconds);
  const files = unused.map(({ sha256, bytes }) => ({ uri: `cas://sha256/${sha256}`, sha256, bytes, mediaType: CSV }));
  const refs = new Map([...expired.flatMap((entry) => entry.artifacts), ...files].map((ref) => [ref.sha256, ref]));
  const needed = await steps.mentioned([...refs.keys()]);
  const before = Date.now() - 1000 * graceSeconds;
  let removed = 0;
  let freedBytes = 0;
  for (const [sha256, ref] of refs) {
    if (needed.has(sha256) || !(await artifacts.remove(ref, { before }))) continue;
    removed += 1;
    freedBytes += ref.bytes;
  }
  const counts = { entries: expired.length, uploads: unused.length, artifacts: removed };
  return { ...counts, freedBytes, keptArtifacts: refs.size - removed };
}
