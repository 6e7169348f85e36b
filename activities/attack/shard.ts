import { cancellationSignal, heartbeat } from '@temporalio/activity';
import { asksGraph } from '../../contracts/adversary.ts';
import type { GpuActivities } from '../../contracts/activities.ts';
import type { ArtifactRef } from '../../contracts/reference.ts';
import type { AttackHeartbeat } from '../../contracts/progress.ts';
import { PreparedManifest } from '../../contracts/prepared-data.ts';
import { AdversaryError, measurementDigest } from '../../lib/adversary/index.ts';
import type { ArtifactStore } from '../../lib/artifacts/index.ts';
import type { AttackLog } from '../../lib/clients/index.ts';
import { attackInChild } from '../../lib/ml/index.ts';
import { attackGraph } from '../../lib/onnx/index.ts';

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
      const common = {
        manifest,
        measurement,
        batches,
        artifacts: store,
        attacked: {
          finished: (deviceClass: string) => attacks.finishedBatches(key, deviceClass),
          commit: (finished: { batch: number; deviceClass: string; ref: ArtifactRef }) =>
            attacks.commitBatch({ key, ...finished }),
        },
        signal: cancellationSignal(),
        onOutput,
        onProgress: (progress: Omit<AttackHeartbeat, 'kind' | 'shard' | 'shards'>) =>
          heartbeat({ kind: 'attack', shard, shards, ...progress } satisfies AttackHeartbeat),
      } satisfies Omit<Parameters<typeof attackGraph>[0], 'onnx'>;
      if (asksGraph(measurement)) return { batches: await attackGraph({ ...common, onnx: target.onnx }) };
      const { network, weights } = target;
      if (network === undefined || weights === undefined) {
        throw new AdversaryError('ATTACK_UNSUPPORTED', `${target.model} is from elsewhere: only square attacks it`, {
          field: 'attacks',
        });
      }
      const refs = await attackInChild({ ...common, model: network, weights, threads });
      return { batches: refs };
    },
  };
}
