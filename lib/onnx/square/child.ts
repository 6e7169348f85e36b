import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tensor } from 'onnxruntime-node';
import type { InferenceSession } from 'onnxruntime-node';
import { attackName } from '../../../contracts/adversary.ts';
import { ATTACK_BATCH, AdversaryError, rangeOf, squareAttack, trialName, trialsOf } from '../../adversary/index.ts';
import type { ScoreOracle, SquareResult, Trial } from '../../adversary/index.ts';
import { readInt32, readSamples } from '../../datasets/index.ts';
import { argmax } from '../../evaluation/index.ts';
import { serveChild } from '../../heavy/index.ts';
import { chooseSamples, RandomStream } from '../../ml/index.ts';
import type { AttackReport, FinishedBatch } from '../../ml/index.ts';
import { openSession } from '../session.ts';
import { OUTPUTS } from '../signature.ts';
import type { SquareJob } from './attack-in-child.ts';

/** Milliseconds between two progress reports. */
const REPORT_MS = 500;

type Report = (value: AttackReport) => void;

serveChild(async (job: SquareJob, report: Report, ask: (value: AttackReport) => Promise<unknown>): Promise<number> => {
  const graph = await AttackedGraph.load(job);
  const labels = await readInt32(job.files.y);
  const raw = await readSamples(job.files.x, job.manifest.input.dtype);
  const chosen = chooseSamples(job.measurement, labels.length);
  const progress = new Progress(report, job);
  for (const [position, batch] of job.batches.entries()) {
    const indices = chosen.subarray(batch * ATTACK_BATCH, (batch + 1) * ATTACK_BATCH);
    progress.begin(position);
    const { result, examples } = await attackOne({ job, graph, indices, batch, progress, raw, labels });
    const path = join(job.folder, `batch-${batch}.f32`);
    writeFileSync(path, examples);
    await ask({ kind: 'batch', path, result });
  }
  return job.batches.length;
});

interface OneBatch {
  readonly job: SquareJob;
  readonly graph: AttackedGraph;
  readonly batch: number;
  readonly indices: Uint32Array;
  readonly progress: Progress;
  readonly raw: Uint8Array | Float32Array;
  readonly labels: Int32Array;
}

async function attackOne(o: OneBatch): Promise<{ result: FinishedBatch; examples: Float32Array }> {
  const { graph, indices, progress } = o;
  const { measurement, manifest } = o.job;
  const begun = performance.now();
  const { size } = graph;
  const count = indices.length;
  const x = new Float32Array(count * size);
  indices.forEach((index, row) => x.set(o.raw.subarray(index * size, (index + 1) * size), row * size));
  const labels = Int32Array.from(indices, (index) => o.labels[index] as number);
  const trials = trialsOf(measurement);
  const examples = new Float32Array((1 + trials.length) * count * size);
  examples.set(x);
  let queries = 0;
  const oracle: ScoreOracle = (samples, rows) => {
    queries += rows;
    progress.query(rows);
    return graph.probabilities(samples, rows);
  };
  const clean = await oracle(x, count);
  const classes = manifest.labels.length;
  const results: FinishedBatch['trials'] = [];
  for (const [position, trial] of trials.entries()) {
    progress.trial(trial, position);
    const { adversarial, predicted } = await attackTrial(trial, { x, labels, clean, o, classes, oracle });
    examples.set(adversarial, (position + 1) * count * size);
    results.push({ attack: attackName(trial.attack), epsilon: trial.epsilon, predicted: [...predicted] });
  }
  const result = {
    batch: o.batch,
    indices: [...indices],
    labels: [...labels],
    clean: [...argmax(clean, classes)],
    trials: results,
    gradients: queries,
    seconds: (performance.now() - begun) / 1000,
  };
  return { result, examples };
}

interface TrialSubject {
  readonly x: Float32Array;
  readonly labels: Int32Array;
  readonly clean: Float32Array;
  readonly classes: number;
  readonly oracle: ScoreOracle;
  readonly o: OneBatch;
}

function attackTrial({ attack, epsilon }: Trial, { o, oracle, ...subject }: TrialSubject): Promise<SquareResult> {
  if (attack.kind !== 'square') {
    throw new AdversaryError('ATTACK_UNSUPPORTED', `${attackName(attack)} needs gradients`, { field: 'attacks' });
  }
  const { input } = o.job.manifest;
  const batch = {
    ...subject,
    shape: input.shape,
    range: rangeOf(input.dtype),
    uniform: (row: number) => {
      const stream = new RandomStream('square attack', o.job.measurement.seed, o.indices[row] as number);
      return () => stream.uniform();
    },
  };
  return squareAttack(attack, epsilon, batch, oracle);
}

/** The graph that is served, on one thread: what it says must not depend on how many there are. */
class AttackedGraph {
  readonly size: number;
  readonly #session: InferenceSession;
  readonly #shape: readonly number[];

  private constructor(session: InferenceSession, shape: readonly number[]) {
    this.#session = session;
    this.#shape = shape;
    this.size = shape.reduce((product, length) => product * length, 1);
  }

  static async load({ onnx, manifest }: SquareJob): Promise<AttackedGraph> {
    return new AttackedGraph(await openSession(onnx), manifest.input.shape);
  }

  async probabilities(x: Float32Array, count: number): Promise<Float32Array> {
    const tensor = new Tensor('float32', x, [count, ...this.#shape]);
    const outputs = await this.#session.run({ [this.#session.inputNames[0] as string]: tensor }, [
      OUTPUTS.probabilities,
    ]);
    return outputs[OUTPUTS.probabilities]?.data as Float32Array;
  }
}

/** Tells how far the shard is. A trial whose samples are all broken before its last query ends early. */
class Progress {
  readonly #report: Report;
  readonly #job: SquareJob;
  readonly #trials: number;
  #position = 0;
  #trial = 0;
  #attack = 'loading';
  #most = 1;
  #taken = 0;
  #queries = 0;
  #reported = performance.now();

  constructor(report: Report, job: SquareJob) {
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
    this.#most = trial.attack.kind === 'square' ? trial.attack.queries : 1;
    this.#taken = 0;
  }

  query(count: number): void {
    this.#queries += count;
    this.#taken += 1;
    if (performance.now() - this.#reported < REPORT_MS) return;
    this.#reported = performance.now();
    const trials = this.#trial + Math.min(1, (this.#taken - 1) / this.#most);
    const done = (this.#position + trials / this.#trials) / this.#job.batches.length;
    this.#report({ kind: 'progress', attack: this.#attack, done, gradients: this.#queries });
  }
}
