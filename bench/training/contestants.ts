import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { PreparedManifest } from '../../contracts/prepared-data.ts';
import type { ArtifactRef } from '../../contracts/reference.ts';
import type { ArtifactStore } from '../../lib/artifacts/index.ts';
import { trainInChild } from '../../lib/ml/index.ts';
import { MemoryTrainingStore } from '../../test/ml/support/memory-training-store.ts';
import { BATCH_SIZE, benchTraining, LEARNING_RATE } from './networks.ts';
import type { BenchNetwork } from './networks.ts';

export interface BenchData {
  readonly store: ArtifactStore;
  readonly manifest: PreparedManifest;
  readonly ref: ArtifactRef;
}

export interface Measurement {
  readonly samplesPerSecond: number;
  readonly peakRssBytes: number;
}

/** One side of the comparison with one setting. */
export interface Contestant {
  readonly setting: string;
  run(network: BenchNetwork): Promise<Measurement>;
}

/** The platform's training, as a worker runs it. */
export function platform(data: BenchData, replicas: number, threads: number): Contestant {
  return {
    setting: `${replicas} × ${threads} thread${threads === 1 ? '' : 's'}`,
    run: async ({ model, steps }) => {
      const training = benchTraining(Math.ceil(steps / stepsPerEpoch(data)));
      const outcome = await trainInChild({
        key: 'bench',
        model,
        training,
        seed: 1,
        manifest: data.manifest,
        dataSha256: data.ref.sha256,
        artifacts: data.store,
        trainings: new MemoryTrainingStore(),
        parallelism: { replicas, threads },
      });
      const samples = training.epochs * data.manifest.splits.train.count;
      return { samplesPerSecond: samples / outcome.seconds, peakRssBytes: outcome.peakRssBytes };
    },
  };
}

/** PyTorch on the CPU. */
export function peer(data: BenchData, python: string, threads: number, channelsLast: boolean): Contestant {
  return {
    setting: `${threads} thread${threads === 1 ? '' : 's'}${channelsLast ? ', channels last' : ''}`,
    run: async ({ name, steps }) => {
      const { train } = data.manifest.splits;
      const job = {
        network: name,
        threads,
        channelsLast,
        steps: Math.ceil(steps / stepsPerEpoch(data)) * stepsPerEpoch(data),
        batchSize: BATCH_SIZE,
        learningRate: LEARNING_RATE,
        samples: await data.store.path(train.x),
        labels: await data.store.path(train.y),
        count: train.count,
      };
      const script = join(import.meta.dirname, 'peer.py');
      const { stdout } = await promisify(execFile)(python, [script, JSON.stringify(job)]);
      const { seconds, peakRssBytes } = JSON.parse(stdout) as { seconds: number; peakRssBytes: number };
      return { samplesPerSecond: (job.steps * BATCH_SIZE) / seconds, peakRssBytes };
    },
  };
}

function stepsPerEpoch({ manifest }: BenchData): number {
  return manifest.splits.train.count / BATCH_SIZE;
}
