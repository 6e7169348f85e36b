import { rm } from 'node:fs/promises';
import type { AnswerKind, Extraction } from '../../../contracts/extraction.ts';
import type { ModelConfig } from '../../../contracts/model-config.ts';
import type { PreparedManifest } from '../../../contracts/prepared-data.ts';
import type { AttackHeartbeat } from '../../../contracts/progress.ts';
import type { ArtifactRef } from '../../../contracts/reference.ts';
import type { ArtifactStore } from '../../artifacts/index.ts';
import { inWorkFolder, runChild } from '../../heavy/index.ts';
import type { AttackedBatches } from '../attack-in-child.ts';
import { detectDevice, planTraining, tensorFlowEnvironment } from '../device.ts';
import type { SplitFiles } from '../training/samples.ts';
import { SubstituteResult } from './point.ts';

/** What the child is told; structured-cloned, so plain data. */
export interface ExtractionJob {
  readonly model: ModelConfig;
  readonly manifest: PreparedManifest;
  /** Of the test split. */
  readonly files: SplitFiles;
  readonly extraction: Extraction;
  readonly answers: AnswerKind;
  /** Numbers of queries that are still to be measured. */
  readonly queries: readonly number[];
  /** What was made for the numbers before these. */
  readonly made:
    { readonly count: number; readonly rounds: number; readonly x: string; readonly y: string } | undefined;
  /** Where the child writes files for the parent to store. */
  readonly folder: string;
}

export type ExtractionReport =
  | { readonly kind: 'progress'; readonly queries: number; readonly done: number; readonly samples: number }
  /** Asked: the answers are a Float32Array, a distribution a sample. */
  | { readonly kind: 'question'; readonly path: string; readonly count: number }
  /** Asked, not told: the next one begins when this one is durable. */
  | {
      readonly kind: 'substitute';
      readonly queries: number;
      readonly predicted: number[];
      readonly seconds: number;
      readonly made: ExtractionJob['made'];
    };

type Finished = Extract<ExtractionReport, { kind: 'substitute' }>;

export interface ExtractInChildOptions {
  /** Network of the substitute. */
  readonly model: ModelConfig;
  readonly manifest: PreparedManifest;
  readonly extraction: Extraction;
  readonly answers: AnswerKind;
  /** The model: distributions over the classes for raw float32 samples in a file. */
  readonly victim: (path: string, count: number) => Promise<Float32Array>;
  readonly artifacts: Pick<ArtifactStore, 'path' | 'putFile' | 'putJson' | 'readJson' | 'exists'>;
  /** Where finished substitutes are remembered, by their place among the numbers of queries. */
  readonly finished: AttackedBatches;
  readonly threads?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (heartbeat: Omit<AttackHeartbeat, 'kind' | 'shard' | 'shards'>) => void;
  readonly onOutput?: (line: string) => void;
  readonly onStart?: (pid: number) => void;
}

/**
 * Trains a substitute for each number of queries in a child process. Each is stored before the next one begins; one that
 * was finished before is not trained again. The same arguments on the same device class give the same numbers, however
 * often the work was interrupted.
 *
 * @returns references to a `SubstituteResult` for each number of queries, in order
 * @throws MlError MODEL_CONFIG_INVALID, TRAINING_DIVERGED, NATIVE_ADDON_MISSING, GPU_NOT_VISIBLE; AdversaryError
 * ATTACK_UNSUPPORTED; HeavyError; what the victim and the stores throw
 */
export async function extractInChild(options: ExtractInChildOptions): Promise<ArtifactRef[]> {
  const { queries } = options.extraction;
  const device = detectDevice();
  const done = await finishedRefs(options, device.deviceClass);
  if (done.length < queries.length) await extractRest(options, { done, ...device });
  return done;
}

/** Those without a gap from the first one: a later one goes on from the one before. */
async function finishedRefs(
  { finished, artifacts, extraction }: ExtractInChildOptions,
  deviceClass: string,
): Promise<ArtifactRef[]> {
  const known = await finished.finished(deviceClass);
  const refs: ArtifactRef[] = [];
  for (const place of extraction.queries.keys()) {
    const ref = known.get(place);
    if (ref === undefined || !(await whole(artifacts, ref))) break;
    refs.push(ref);
  }
  return refs;
}

/** A result whose bytes, or those it names, are gone or changed is not gone on from. */
async function whole(artifacts: ExtractInChildOptions['artifacts'], ref: ArtifactRef): Promise<boolean> {
  if (!(await artifacts.exists(ref))) return false;
  const { made } = await artifacts.readJson(ref, SubstituteResult);
  return made === undefined || ((await artifacts.exists(made.x)) && artifacts.exists(made.y));
}

interface Rest {
  /** Is added to. */
  readonly done: ArtifactRef[];
  readonly deviceClass: string;
}

function extractRest(
  options: ExtractInChildOptions,
  { done, ...device }: Rest & ReturnType<typeof detectDevice>,
): Promise<void> {
  const { artifacts, manifest, model, extraction, answers, victim } = options;
  const { test } = manifest.splits;
  const progress = progressOf(options, { done, deviceClass: device.deviceClass });
  return inWorkFolder(async (folder) => {
    const job: ExtractionJob = {
      ...{ model, manifest, extraction, answers, folder },
      files: { x: await artifacts.path(test.x), y: await artifacts.path(test.y) },
      queries: extraction.queries.slice(done.length),
      made: await madeBefore(artifacts, done.at(-1)),
    };
    await runChild<number, ExtractionReport>({
      entry: new URL('../children/extract.ts', import.meta.url),
      input: job,
      env: tensorFlowEnvironment(options.threads ?? planTraining(device).threads),
      signal: options.signal,
      onStart: options.onStart,
      onOutput: options.onOutput,
      onReport: async (report) => {
        if (report.kind === 'progress') return progress(report);
        if (report.kind === 'question') return victim(report.path, report.count);
        const ref = await keep(options, report, device.deviceClass);
        await options.finished.commit({ batch: done.length, deviceClass: device.deviceClass, ref });
        done.push(ref);
      },
    });
  });
}

async function madeBefore(
  artifacts: ExtractInChildOptions['artifacts'],
  last: ArtifactRef | undefined,
): Promise<ExtractionJob['made']> {
  if (last === undefined) return undefined;
  const { made } = await artifacts.readJson(last, SubstituteResult);
  return made && { ...made, x: await artifacts.path(made.x), y: await artifacts.path(made.y) };
}

async function keep(
  { artifacts, answers, model }: ExtractInChildOptions,
  { queries, predicted, seconds, made }: Finished,
  deviceClass: string,
): Promise<ArtifactRef> {
  const store = async (path: string): Promise<ArtifactRef> => {
    const ref = await artifacts.putFile(path, { mediaType: 'application/octet-stream' });
    await rm(path);
    return ref;
  };
  return artifacts.putJson({
    ...{ answers, queries, predicted, seconds, deviceClass, substitute: model.name },
    made: made && { count: made.count, rounds: made.rounds, x: await store(made.x), y: await store(made.y) },
  } satisfies SubstituteResult);
}

function progressOf(
  { onProgress, extraction: { queries }, answers }: ExtractInChildOptions,
  { done, deviceClass }: Rest,
): (report: Extract<ExtractionReport, { kind: 'progress' }>) => void {
  const begun = performance.now();
  // An attempt that goes on does not begin at nothing.
  let first: { share: number; samples: number } | undefined;
  let last = { at: begun, samples: 0 };
  return ({ queries: wanted, done: share, samples }) => {
    const now = performance.now();
    if (first === undefined) {
      first = { share, samples };
      last = { at: begun, samples };
    }
    const perShare = share > first.share ? (now - begun) / 1000 / (share - first.share) : 0;
    onProgress?.({
      attack: `${wanted} queries for ${answers}`,
      done: share,
      durable: queries[done.length - 1] ?? 0,
      samples: queries.at(-1) ?? 0,
      throughput: (samples - last.samples) / ((now - last.at) / 1000),
      eta: perShare * (1 - share),
      device: deviceClass,
    });
    last = { at: now, samples };
  };
}
