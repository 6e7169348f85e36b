import { rm } from 'node:fs/promises';
import type { EpochMeasure } from '../../contracts/activities.ts';
import type { ModelConfig, TrainingConfig } from '../../contracts/model-config.ts';
import type { PreparedManifest } from '../../contracts/prepared-data.ts';
import type { TrainingHeartbeat } from '../../contracts/progress.ts';
import type { ArtifactRef } from '../../contracts/reference.ts';
import type { TrainingPlan, TrainingStore } from '../../contracts/training-store.ts';
import type { ArtifactStore } from '../artifacts/index.ts';
import { inWorkFolder, runChild } from '../heavy/index.ts';
import type { TrainingChildResult } from './children/train.ts';
import { detectDevice, planTraining, tensorFlowEnvironment } from './device.ts';
import type { Device, ParallelismSettings } from './device.ts';
import { trainingDigest } from './digests.ts';
import { isOutOfMemory, MlError } from './errors.ts';
import { networkOf } from './training/job.ts';
import type { TrainingJob } from './training/job.ts';
import type { LeaderReport } from './training/leader.ts';

const ENTRY = new URL('./children/train.ts', import.meta.url);
const SAFETENSORS = 'application/vnd.safetensors';
const NDJSON = 'application/x-ndjson';

export interface TrainInChildOptions {
  /** Identifies the training over all its attempts, e.g. the workflow id. */
  readonly key: string;
  readonly model: ModelConfig;
  readonly training: TrainingConfig;
  readonly seed: number;
  readonly manifest: PreparedManifest;
  /** Digest of the stored manifest. */
  readonly dataSha256: string;
  readonly artifacts: Pick<ArtifactStore, 'path' | 'putFile' | 'exists'>;
  readonly trainings: TrainingStore;
  /** Layout of a new training; one that was begun keeps its own. */
  readonly parallelism?: ParallelismSettings;
  /** Memory of each training process, in bytes. */
  readonly memoryBytes?: number;
  /** Ends the training after this epoch; it goes on from there when it is asked for with a later one, or without. */
  readonly stopAfterEpoch?: number;
  /** Ends the segment at the first step after this time. */
  readonly segmentSeconds?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (heartbeat: TrainingHeartbeat) => void;
  readonly onOutput?: (line: string) => void;
  /** Process id of the child, which leads a process group. */
  readonly onStart?: (pid: number) => void;
}

export interface TrainingOutcome {
  readonly step: number;
  readonly steps: number;
  /** Seconds in training steps, over all attempts. */
  readonly seconds: number;
  readonly resumes: number;
  readonly plan: TrainingPlan;
  readonly device: Device;
  readonly backend: string;
  readonly tfVersion: string;
  readonly peakRssBytes: number;
  /** Present once the last step, or that of the epoch to stop after, is done. */
  readonly trained:
    | {
        readonly weights: ArtifactRef;
        readonly history: ArtifactRef;
        readonly validation: EpochMeasure | undefined;
      }
    | undefined;
}

/**
 * Runs one attempt of a training in child processes, from its newest durable checkpoint to its end or to the end of the
 * segment. Takes the training over from any attempt that still runs: the older one stops at its next checkpoint.
 *
 * One seed gives one digest of the weights for the same configuration, data, device class, replicas and threads, however
 * often the training was interrupted.
 *
 * @throws MlError, HeavyError and the stores' errors: MODEL_CONFIG_INVALID, TRAINING_FENCED, TRAINING_DIVERGED,
 * CHECKPOINT_INCOMPATIBLE, NATIVE_ADDON_MISSING, GPU_NOT_VISIBLE, CHILD_CRASHED, CHILD_SILENT; DEVICE_OUT_OF_MEMORY after
 * it has halved the micro-batch for the next attempt.
 */
export async function trainInChild(options: TrainInChildOptions): Promise<TrainingOutcome> {
  networkOf(options.model, options.manifest);
  const digest = trainingDigest(options);
  const key = `${options.key}/${digest.slice(0, 16)}`;
  const device = detectDevice();
  const attempt = { key, token: await options.trainings.acquireFence(key), deviceClass: device.deviceClass };
  const plan = await currentPlan(options, attempt, device);
  try {
    return await inWorkFolder((folder) => trainFrom(options, { attempt, device, plan, folder }));
  } catch (error) {
    if (isOutOfMemory(error)) await halveMicroBatch(options, attempt, plan);
    throw error;
  }
}

async function trainFrom(
  options: TrainInChildOptions,
  {
    attempt,
    device,
    plan,
    folder,
  }: { readonly attempt: Attempt; readonly device: Device; readonly plan: TrainingPlan; readonly folder: string },
): Promise<TrainingOutcome> {
  const digest = trainingDigest(options);
  const checkpoint = await latestCheckpoint(options, attempt);
  const job: TrainingJob = {
    model: options.model,
    training: options.training,
    seed: options.seed,
    manifest: options.manifest,
    files: await splitFiles(options),
    plan,
    deviceClass: device.deviceClass,
    digest,
    checkpoint: checkpoint?.path,
    folder,
    segmentSeconds: options.segmentSeconds ?? Number.MAX_SAFE_INTEGER,
    stopAfterEpoch: options.stopAfterEpoch,
  };
  const { files, ...result } = await runJob(options, attempt, job, checkpoint?.step ?? 0);
  const trained = files && {
    weights: await options.artifacts.putFile(files.weights, { mediaType: SAFETENSORS }),
    history: await options.artifacts.putFile(files.history, { mediaType: NDJSON }),
    validation: files.validation,
  };
  return { ...result, plan, device, trained };
}

interface Attempt {
  readonly key: string;
  readonly token: number;
  readonly deviceClass: string;
}

function runJob(
  options: TrainInChildOptions,
  attempt: Attempt,
  job: TrainingJob,
  resumedStep: number,
): Promise<TrainingChildResult> {
  const { artifacts, trainings } = options;
  let checkpointStep = resumedStep;
  return runChild<TrainingChildResult, LeaderReport>({
    entry: ENTRY,
    input: job,
    env: tensorFlowEnvironment(job.plan.threads),
    signal: options.signal,
    memoryBytes: options.memoryBytes,
    onStart: options.onStart,
    onOutput: options.onOutput,
    onReport: async (report) => {
      if (report.kind === 'progress') {
        const { deviceClass: device } = attempt;
        options.onProgress?.({ kind: 'training', ...report.progress, checkpointStep, device });
      }
      if (report.kind === 'checkpoint') {
        const ref = await artifacts.putFile(report.path, { mediaType: SAFETENSORS });
        await trainings.commitCheckpoint({ ...attempt, step: report.step, ref });
        await rm(report.path);
        checkpointStep = report.step;
      }
    },
  });
}

async function currentPlan(
  { trainings, parallelism, training }: TrainInChildOptions,
  attempt: Attempt,
  device: Device,
): Promise<TrainingPlan> {
  const known = await trainings.plan(attempt.key, attempt.deviceClass);
  if (known !== undefined) return known;
  const layout = planTraining(device, parallelism);
  const plan = { ...layout, replicas: Math.min(layout.replicas, training.batchSize) };
  await trainings.savePlan({ ...attempt, plan });
  return plan;
}

/**
 * The newest checkpoint that is whole. One whose bytes are gone or changed is passed over, for the one before it or for
 * the beginning: the training repeats some of its steps instead of failing for good.
 */
async function latestCheckpoint(
  { trainings, artifacts }: TrainInChildOptions,
  { key, deviceClass }: Attempt,
): Promise<{ step: number; path: string } | undefined> {
  for (let before: number | undefined; ;) {
    const stored = await trainings.latestCheckpoint(key, deviceClass, before);
    if (stored === undefined) return undefined;
    if (await artifacts.exists(stored.ref)) return { step: stored.step, path: await artifacts.path(stored.ref) };
    before = stored.step;
  }
}

async function splitFiles({ manifest, artifacts }: TrainInChildOptions): Promise<TrainingJob['files']> {
  const { train, validation } = manifest.splits;
  const files = async ({ x, y }: typeof train): Promise<{ x: string; y: string }> => ({
    x: await artifacts.path(x),
    y: await artifacts.path(y),
  });
  return { train: await files(train), validation: await files(validation) };
}

/** The effective batch stays: each replica adds up the gradients of twice as many parts of half the size. */
async function halveMicroBatch(
  { trainings, training }: TrainInChildOptions,
  attempt: Attempt,
  plan: TrainingPlan,
): Promise<void> {
  const split = plan.split * 2;
  if (plan.replicas * split > training.batchSize) {
    throw new MlError('DEVICE_OUT_OF_MEMORY', 'one sample at a time does not fit into the device’s memory');
  }
  await trainings.savePlan({ ...attempt, plan: { ...plan, split } });
}
