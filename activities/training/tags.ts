import { cpus, release } from 'node:os';
import type { PreparedData } from '../../contracts/activities.ts';
import type { ModelConfig, TrainingConfig } from '../../contracts/model-config.ts';
import { configDigest, trainingDigest } from '../../lib/ml/index.ts';
import type { TrainingOutcome } from '../../lib/ml/index.ts';
import { gitCommit } from './git-commit.ts';

export interface TagSubject {
  readonly model: ModelConfig;
  readonly training: TrainingConfig;
  readonly seed: number;
  readonly data: PreparedData;
  readonly outcome: TrainingOutcome;
  readonly codeSha256?: string;
}

/** What one must know to train the same weights again, and to understand their numbers. */
export function trainingTags({ model, training, seed, data, outcome, codeSha256 }: TagSubject): Record<string, string> {
  const { device, plan, trained } = outcome;
  const dataSha256 = data.manifest.sha256;
  return {
    'git.commit': gitCommit(),
    ...(codeSha256 !== undefined && { 'code.sha256': codeSha256 }),
    'config.sha256': configDigest({ model, training, seed }),
    'data.sha256': data.dataSha256,
    'data.card.sha256': data.cardSha256,
    'data.prepared.sha256': dataSha256,
    'training.sha256': trainingDigest({ model, training, seed, dataSha256 }),
    'weights.sha256': trained?.weights.sha256 ?? '',
    seed: String(seed),
    device: device.device,
    'device.name': device.name,
    'device.class': device.deviceClass,
    backend: outcome.backend,
    'tensorflow.version': outcome.tfVersion,
    replicas: String(plan.replicas),
    threads: String(plan.threads),
    'batch.effective': String(training.batchSize),
    'batch.split': String(plan.split),
    resumes: String(outcome.resumes),
    'memory.peak.bytes': String(outcome.peakRssBytes),
    'node.version': process.version,
    platform: `${process.platform}-${process.arch} ${release()}`,
    'cpu.count': String(cpus().length),
  };
}
