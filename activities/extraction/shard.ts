import { cancellationSignal, heartbeat } from '@temporalio/activity';
import type { GpuActivities } from '../../contracts/activities.ts';
import { PreparedManifest } from '../../contracts/prepared-data.ts';
import type { AttackHeartbeat } from '../../contracts/progress.ts';
import type { ArtifactStore } from '../../lib/artifacts/index.ts';
import type { AttackLog } from '../../lib/clients/index.ts';
import { extractInChild, extractionDigest, substituteFor } from '../../lib/ml/index.ts';
import { predictOnnx } from '../../lib/onnx/index.ts';

export interface ShardDependencies {
  readonly store: ArtifactStore;
  /** Finished substitutes are remembered where finished batches of attacks are. */
  readonly attacks: Pick<AttackLog, 'finishedBatches' | 'commitBatch'>;
  /** Threads of the child; default: the plan for the device. */
  readonly threads?: number;
  /** Lines that the training process prints. */
  readonly onOutput?: (line: string) => void;
}

/** Activities of the GPU pool that copy. */
export function createExtractShardActivities(dependencies: ShardDependencies): Pick<GpuActivities, 'extractShard'> {
  const { store, attacks, threads, onOutput } = dependencies;
  return {
    /**
     * Heartbeats carry on what the child reports, and beat for each answer of the model; a cancellation kills the child
     * before it is confirmed. Substitutes are remembered by run, model, configuration and kind of answers: an attempt
     * goes on behind the last finished one.
     */
    async extractShard({ run, target, extraction, answers, shard, shards }) {
      const manifest = await store.readJson(target.manifest, PreparedManifest);
      const model = substituteFor(extraction, target);
      const key = [run.key, run.runId, target.digest, extractionDigest(extraction, manifest, model), answers].join('/');
      const { shape } = manifest.input;
      let last: AttackHeartbeat | undefined;
      const points = await extractInChild({
        ...{ model, manifest, extraction, answers, threads, onOutput },
        artifacts: store,
        victim: async (path, count) => {
          const { probabilities } = await predictOnnx({
            ...{ onnx: target.onnx, samples: path, shape, dtype: 'float32', count, store },
            signal: cancellationSignal(),
            onProgress: () => heartbeat(last),
          });
          return probabilities;
        },
        finished: {
          finished: (deviceClass) => attacks.finishedBatches(key, deviceClass),
          commit: (finished) => attacks.commitBatch({ key, ...finished }),
        },
        signal: cancellationSignal(),
        onProgress: (progress) => {
          last = { kind: 'attack', shard, shards, ...progress };
          heartbeat(last);
        },
      });
      return { answers, points };
    },
  };
}
