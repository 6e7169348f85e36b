import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { attackName } from '../../../contracts/adversary.ts';
import type { ModelConfig } from '../../../contracts/model-config.ts';
import { attackBatch, ATTACK_BATCH, rangeOf, trialName, trialsOf } from '../../adversary/index.ts';
import type { Batch, Evaluation, Oracle, Trial } from '../../adversary/index.ts';
import { serveChild } from '../../heavy/index.ts';
import { chooseSamples } from '../attack-samples.ts';
import type { AttackReport, BatchJob, FinishedBatch } from '../attack-in-child.ts';
import { networkGraph } from '../graph/network.ts';
import { loadTensorFlow } from '../native/addon.ts';
import { GraphSession } from '../native/session.ts';
import { flatten } from '../parameters.ts';
import { RandomStream } from '../random.ts';
import { readSafetensors } from '../safetensors.ts';
import { networkOf } from '../training/job.ts';
import { Samples } from '../training/samples.ts';

/** Milliseconds between two progress reports. */
const REPORT_MS = 500;

export interface AttackJob extends BatchJob {
  readonly model: ModelConfig;
  readonly weights: string;
}

type Report = (value: AttackReport) => void;

serveChild(async (job: AttackJob, report: Report, ask: (value: AttackReport) => Promise<unknown>): Promise<number> => {
  const model = new AttackedModel(job);
  const chosen = chooseSamples(job.measurement, model.samples.count);
  const progress = new ProgressReports(report, job);
  for (const [position, batch] of job.batches.entries()) {
    const indices = chosen.subarray(batch * ATTACK_BATCH, (batch + 1) * ATTACK_BATCH);
    progress.begin(position);
    const { result, examples } = await attackOne({ job, model, batch, indices, progress });
    const path = join(job.folder, `batch-${batch}.f32`);
    writeFileSync(path, examples);
    await ask({ kind: 'batch', path, result });
  }
  return job.batches.length;
});

interface OneBatch {
  readonly job: AttackJob;
  readonly model: AttackedModel;
  readonly batch: number;
  readonly indices: Uint32Array;
  readonly progress: ProgressReports;
}

async function attackOne(o: OneBatch): Promise<{ result: FinishedBatch; examples: Float32Array }> {
  const { model, indices, progress } = o;
  const { measurement, manifest } = o.job;
  const begun = performance.now();
  const count = indices.length;
  // Filled up with the first sample: see ATTACK_BATCH.
  const padded = Uint32Array.from({ length: ATTACK_BATCH }, (_, row) => indices[row] ?? (indices[0] as number));
  const { x, labels } = model.read(padded);
  const trials = trialsOf(measurement);
  const examples = new Float32Array((1 + trials.length) * count * model.size);
  const keep = (row: number, from: Float32Array): void =>
    examples.set(from.subarray(0, count * model.size), row * count * model.size);
  let gradients = 0;
  const oracle: Oracle = async (samples) => {
    gradients += count;
    await progress.gradient(count);
    return model.evaluate(samples, labels);
  };
  const clean = await oracle(x);
  keep(0, x);
  const common: Batch = {
    x,
    labels,
    size: model.size,
    range: rangeOf(manifest.input.dtype),
    clean,
    uniform: (row, restart) => {
      const stream = new RandomStream('attack', measurement.seed, padded[row] as number, restart);
      return () => stream.uniform();
    },
  };
  const results: FinishedBatch['trials'] = [];
  for (const [position, trial] of trials.entries()) {
    progress.trial(trial, position);
    const { adversarial, predicted } = await attackBatch(trial.attack, trial.epsilon, common, oracle);
    keep(position + 1, adversarial);
    results.push({ attack: attackName(trial.attack), epsilon: trial.epsilon, predicted: first(predicted, count) });
  }
  const result = {
    batch: o.batch,
    indices: [...indices],
    labels: first(labels, count),
    clean: first(clean.predicted, count),
    trials: results,
    gradients,
    seconds: (performance.now() - begun) / 1000,
  };
  return { result, examples };
}

function first(values: Int32Array, count: number): number[] {
  return [...values.subarray(0, count)];
}

/** The network with the weights of the graph that is served, evaluated in batches of one size. */
class AttackedModel {
  readonly samples: Samples;
  readonly size: number;
  readonly #session: GraphSession;

  constructor({ model, manifest, weights, files }: AttackJob) {
    const network = networkOf(model, manifest);
    const input = { ...manifest.input, dtype: 'float32' as const };
    const graph = networkGraph({ ...network, ...manifest, input }, undefined, { inputGradients: true });
    this.#session = new GraphSession(loadTensorFlow().binding, graph);
    const values = flatten(network.parameters, readSafetensors(readFileSync(weights)).tensors);
    this.#session.run({ 'set.weights': { shape: [values.length], data: values } }, 'done.weights');
    this.samples = new Samples(manifest, files, 'float32');
    this.size = manifest.input.shape.reduce((product, length) => product * length, 1);
  }

  read(indices: Uint32Array): { x: Float32Array; labels: Int32Array } {
    const { samples, labels } = this.samples.feed(indices);
    return { x: samples.data as Float32Array, labels: labels.data as Int32Array };
  }

  evaluate(x: Float32Array, labels: Int32Array): Evaluation {
    const batch = labels.length;
    const feeds = { samples: { shape: [batch, this.size], data: x }, labels: { shape: [batch], data: labels } };
    const all = this.#session.run(feeds, 'inputGradients');
    const end = batch * this.size;
    return {
      gradient: all.subarray(0, end),
      loss: all.subarray(end, end + batch),
      predicted: Int32Array.from(all.subarray(end + batch)),
    };
  }
}

/** Tells how far the shard is. A trial whose samples are all broken before its last step ends early. */
class ProgressReports {
  readonly #report: Report;
  readonly #job: AttackJob;
  readonly #trials: number;
  #position = 0;
  #trial = 0;
  #attack = 'loading';
  /** Of the trial: gradients it may take, and has taken. */
  #most = 1;
  #taken = 0;
  #gradients = 0;
  #reported = performance.now();

  constructor(report: Report, job: AttackJob) {
    this.#report = report;
    this.#job = job;
    this.#trials = trialsOf(job.measurement).length;
  }

  begin(position: number): void {
    this.#position = position;
    this.#trial = 0;
    this.#taken = 0;
  }

  trial(trial: Trial, position: number): void {
    this.#attack = trialName(trial);
    this.#trial = position;
    this.#most = trial.attack.kind === 'pgd' ? trial.attack.restarts * (trial.attack.steps + 1) : 1;
    this.#taken = 0;
  }

  async gradient(count: number): Promise<void> {
    this.#gradients += count;
    this.#taken += 1;
    if (performance.now() - this.#reported < REPORT_MS) return;
    this.#reported = performance.now();
    const trials = this.#trial + Math.min(1, (this.#taken - 1) / this.#most);
    const done = (this.#position + trials / this.#trials) / this.#job.batches.length;
    this.#report({ kind: 'progress', attack: this.#attack, done, gradients: this.#gradients });
    // Lets the report out, and the end of the parent in.
    await turn();
  }
}
