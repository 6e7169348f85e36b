import { rm } from 'node:fs/promises';
import type { Measurement } from '../../contracts/adversary.ts';
import type { ModelConfig } from '../../contracts/model-config.ts';
import type { PreparedManifest } from '../../contracts/prepared-data.ts';
import type { AttackHeartbeat } from '../../contracts/progress.ts';
import type { ArtifactRef } from '../../contracts/reference.ts';
import { ATTACK_BATCH } from '../adversary/index.ts';
import type { BatchResult } from '../adversary/index.ts';
import type { ArtifactStore } from '../artifacts/index.ts';
import { inWorkFolder, runChild } from '../heavy/index.ts';
import type { SplitFiles } from './training/samples.ts';
import { detectDevice, planTraining, tensorFlowEnvironment } from './device.ts';

/** Where finished batches are remembered, so that an attempt that died repeats at most the batch it was at. */
export interface AttackedBatches {
  /** Batch number → result, of batches that were finished on devices of this class. */
  finished(deviceClass: string): Promise<ReadonlyMap<number, ArtifactRef>>;
  commit(a: { readonly batch: number; readonly deviceClass: string; readonly ref: ArtifactRef }): Promise<void>;
}

/** What every attacking child is given. */
export interface BatchJob {
  readonly manifest: PreparedManifest;
  /** Of the test split. */
  readonly files: SplitFiles;
  readonly measurement: Measurement;
  /** Numbers of the batches to attack, of those that the measurement is cut into. */
  readonly batches: readonly number[];
  /** Where the child writes files for the parent to store. */
  readonly folder: string;
}

export type FinishedBatch = Omit<BatchResult, 'examples' | 'deviceClass'>;

export type AttackReport =
  | { readonly kind: 'progress'; readonly attack: string; readonly done: number; readonly gradients: number }
  /** Asked, not told: the next batch begins when this one is durable. */
  | { readonly kind: 'batch'; readonly path: string; readonly result: FinishedBatch };

/** The process that attacks: its module, and what it needs besides the batches. */
export interface AttackChild {
  readonly entry: URL;
  readonly deviceClass: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly memoryBytes?: number;
  readonly subject: () => Promise<Readonly<Record<string, unknown>>>;
}

export type BatchesOptions = Omit<AttackInChildOptions, 'model' | 'weights' | 'threads'> & {
  readonly child: AttackChild;
};

export interface AttackInChildOptions {
  readonly model: ModelConfig;
  /** Safetensors file. */
  readonly weights: ArtifactRef;
  /** Its `preprocessing` must be that of the attacked graph. */
  readonly manifest: PreparedManifest;
  readonly measurement: Measurement;
  /** Numbers of the batches to attack. */
  readonly batches: readonly number[];
  readonly artifacts: Pick<ArtifactStore, 'path' | 'putFile' | 'putJson' | 'exists'>;
  readonly attacked: AttackedBatches;
  readonly threads?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (heartbeat: Omit<AttackHeartbeat, 'kind' | 'shard' | 'shards'>) => void;
  readonly onOutput?: (line: string) => void;
  readonly onStart?: (pid: number) => void;
}

/**
 * Attacks batches of the test set in a child process. Each finished batch is stored before the next one begins, and a
 * batch that was finished before is not attacked again.
 *
 * @returns references to a `BatchResult` for each batch, in order
 * @throws MlError MODEL_CONFIG_INVALID, WEIGHTS_INVALID, NATIVE_ADDON_MISSING, GPU_NOT_VISIBLE; AdversaryError
 * ATTACK_UNSUPPORTED; HeavyError; the stores' errors
 */
export async function attackInChild({
  model,
  weights,
  threads,
  ...options
}: AttackInChildOptions): Promise<ArtifactRef[]> {
  const device = detectDevice();
  return attackBatches({
    ...options,
    child: {
      entry: new URL('./children/attack.ts', import.meta.url),
      deviceClass: device.deviceClass,
      env: tensorFlowEnvironment(threads ?? planTraining(device).threads),
      subject: async () => ({ model, weights: await options.artifacts.path(weights) }),
    },
  });
}

/** `attackInChild` with another child, such as one that asks a graph. @throws as its child; the stores' errors */
export async function attackBatches(options: BatchesOptions): Promise<ArtifactRef[]> {
  const { deviceClass } = options.child;
  const done = await wholeBatches(options, deviceClass);
  const batches = options.batches.filter((batch) => !done.has(batch));
  if (batches.length > 0) await attackRest(options, { batches, done, deviceClass });
  return options.batches.map((batch) => done.get(batch) as ArtifactRef);
}

/** A result whose bytes are gone or changed is passed over. */
async function wholeBatches(
  { attacked, artifacts, batches }: BatchesOptions,
  deviceClass: string,
): Promise<Map<number, ArtifactRef>> {
  const whole = new Map<number, ArtifactRef>();
  for (const [batch, ref] of await attacked.finished(deviceClass)) {
    if (batches.includes(batch) && (await artifacts.exists(ref))) whole.set(batch, ref);
  }
  return whole;
}

interface Rest {
  readonly batches: readonly number[];
  /** Is added to. */
  readonly done: Map<number, ArtifactRef>;
  readonly deviceClass: string;
}

function attackRest(options: BatchesOptions, { batches, done, deviceClass }: Rest): Promise<void> {
  const { artifacts, attacked, child, manifest } = options;
  const progress = progressOf(options, { batches, done, device: deviceClass });
  return inWorkFolder(async (folder) => {
    const job: BatchJob = {
      ...(await child.subject()),
      manifest,
      files: { x: await artifacts.path(manifest.splits.test.x), y: await artifacts.path(manifest.splits.test.y) },
      measurement: options.measurement,
      batches,
      folder,
    };
    await runChild<number, AttackReport>({
      entry: child.entry,
      input: job,
      env: child.env,
      memoryBytes: child.memoryBytes,
      signal: options.signal,
      onStart: options.onStart,
      onOutput: options.onOutput,
      onReport: async (report) => {
        if (report.kind === 'progress') return progress(report);
        const examples = await artifacts.putFile(report.path, { mediaType: 'application/octet-stream' });
        await rm(report.path);
        const ref = await artifacts.putJson({ ...report.result, examples, deviceClass } satisfies BatchResult);
        const { batch } = report.result;
        await attacked.commit({ batch, deviceClass, ref });
        done.set(batch, ref);
      },
    });
  });
}

function progressOf(
  { onProgress, measurement, batches: all }: BatchesOptions,
  { batches, done, device }: { batches: readonly number[]; done: ReadonlyMap<number, ArtifactRef>; device: string },
): (report: Extract<AttackReport, { kind: 'progress' }>) => void {
  const sizes = new Map(
    all.map((batch) => [batch, Math.min(ATTACK_BATCH, measurement.samples - batch * ATTACK_BATCH)]),
  );
  const samples = sum([...sizes.values()]);
  const begun = performance.now();
  let last = { at: begun, gradients: 0 };
  return ({ attack, done: share, gradients }) => {
    const now = performance.now();
    const seconds = (now - begun) / 1000;
    onProgress?.({
      attack,
      done: (all.length - batches.length + share * batches.length) / all.length,
      durable: sum([...done.keys()].map((batch) => sizes.get(batch) ?? 0)),
      samples,
      throughput: (gradients - last.gradients) / ((now - last.at) / 1000),
      eta: share > 0 ? (seconds * (1 - share)) / share : 0,
      device,
    });
    last = { at: now, gradients };
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
