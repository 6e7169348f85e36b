import { cancellationSignal, heartbeat } from '@temporalio/activity';
import type { GpuActivities, TrainedModel } from '../../contracts/activities.ts';
import { PreparedManifest } from '../../contracts/prepared-data.ts';
import type { TrainingStore } from '../../contracts/training-store.ts';
import type { ArtifactStore } from '../../lib/artifacts/index.ts';
import { trainInChild } from '../../lib/ml/index.ts';
import type { ParallelismSettings } from '../../lib/ml/index.ts';
import { trainingTags } from './tags.ts';

/** A segment with its start, last checkpoint and the storing of its results stays under five minutes. */
const SEGMENT_SECONDS = 270;

export interface TrainingDependencies {
  readonly store: ArtifactStore;
  readonly trainings: TrainingStore;
  /** Layout of new trainings; default: chosen for the device. */
  readonly parallelism?: ParallelismSettings;
  /** Memory of each training process, in bytes; default: what the machine gives. */
  readonly memoryBytes?: number;
  readonly segmentSeconds?: number;
  /** Digest of the training's own code, for its tags. */
  readonly codeSha256?: string;
  /** Lines that the training processes print. */
  readonly onOutput?: (line: string) => void;
}

/** Activities of the GPU pool that train. */
export function createTrainingActivities(dependencies: TrainingDependencies): Pick<GpuActivities, 'trainModel'> {
  const { store, trainings, segmentSeconds = SEGMENT_SECONDS, codeSha256, ...settings } = dependencies;
  return {
    /**
     * One attempt of one segment. Heartbeats only carry on what the child reports; a cancellation kills the child, and
     * with that frees the device, before it is confirmed.
     */
    async trainModel({ run, model, training, seed, data, stopAfterEpoch }) {
      const outcome = await trainInChild({
        ...settings,
        key: run.key,
        model,
        training,
        seed,
        manifest: await store.readJson(data.manifest, PreparedManifest),
        dataSha256: data.manifest.sha256,
        artifacts: store,
        trainings,
        segmentSeconds,
        stopAfterEpoch,
        signal: cancellationSignal(),
        onProgress: heartbeat,
      });
      const { trained, step, steps, seconds } = outcome;
      if (trained === undefined) return { continue: true, step, steps };
      const tags = trainingTags({ model, training, seed, data, outcome, codeSha256 });
      return { ...trained, steps, seconds, tags } satisfies TrainedModel;
    },
  };
}
