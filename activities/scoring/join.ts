import { cancellationSignal, heartbeat } from '@temporalio/activity';
import type { ScoredShard } from '../../contracts/batch-score.ts';
import type { ArtifactRef } from '../../contracts/reference.ts';
import type { ArtifactStore } from '../../lib/artifacts/index.ts';
import { joinStreams } from '../../lib/scoring/index.ts';

/** One file of all shards, each verified while it is copied. Heartbeats after each shard. */
export async function joined(store: ArtifactStore, parts: readonly ScoredShard[]): Promise<ScoredShard> {
  const join = (refs: readonly ArtifactRef[]): Promise<ArtifactRef> =>
    store.put(
      joinStreams(
        refs,
        (ref) => store.stream(ref),
        (done) => {
          cancellationSignal().throwIfAborted();
          heartbeat({ kind: 'joining', done, of: refs.length });
        },
      ),
      { mediaType: 'application/x-ndjson' },
    );
  const sum = (name: keyof ScoredShard['counts']): number =>
    parts.reduce((total, { counts }) => total + counts[name], 0);
  return {
    predictions: await join(parts.map(({ predictions }) => predictions)),
    refused: await join(parts.map(({ refused }) => refused)),
    counts: { records: sum('records'), scored: sum('scored'), refused: sum('refused'), outOfRange: sum('outOfRange') },
  };
}
