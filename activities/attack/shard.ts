import { cancellationSignal, heartbeat } from '@temporalio/activity';
import type { GpuActivities } from '../../contracts/activities.ts';
import type { AttackHeartbeat } from '../../contracts/progress.ts';
import { PreparedManifest } from '../../contracts/prepared-data.ts';
import { measurementDigest } from '../../lib/adversary/index.ts';
import type { ArtifactStore } from '../../lib/artifacts/index.ts';
import type { AttackLog } from '../../lib/clients/index.ts';
import { attackInChild } from '../../lib/ml/index.ts';

export interface ShardDependencies {
  readonly store: ArtifactStore;
  readonly attacks: Pick<AttackLog, 'finishedBatches' | 'commitBatch'>;
  /** Threads of the child; default: the plan for the device. */
  readonly threads?: number;
  /** Lines that the attacking process prints. */
  readonly onOutput?: (line: string) => void;
}

/** Activities of the GPU pool that attack. */
export function createAttackShardActivities(dependencies: ShardDependencies): Pick<GpuActivities, 'attackShard'> {
  const { store, attacks, threads, onOutput } = dependencies;
  return {
    /**
     * Heartbeats only carry on what the child reports; a cancellation kills the child before it is confirmed. Batches
     * are remembered by run, model and configuration: an attempt goes on behind the last finished one.
     */
    async attackShard({ run, target, measurement, shard, shards, batches }) {
      const manifest = await store.readJson(target.manifest, PreparedManifest);
      const configSha256 = measurementDigest(measurement, manifest);
      const key = [run.key, run.runId, target.digest, configSha256].join('/');
      const refs = await attackInChild({
        model: target.network,
        weights: target.weights,
        manifest,
        measurement,
        batches,
        artifacts: store,
        attacked: {
          finished: (deviceClass) => attacks.finishedBatches(key, deviceClass),
          commit: (finished) => attacks.commitBatch({ key, ...finished }),
        },
        threads,
        signal: cancellationSignal(),
        onOutput,
        onProgress: (progress) => heartbeat({ kind: 'attack', shard, shards, ...progress } satisfies AttackHeartbeat),
      });
      return { batches: refs };
    },
  };
}
