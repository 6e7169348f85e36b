import { readFile } from 'node:fs/promises';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { readSamples } from '../../datasets/index.ts';
import { serveChild } from '../../heavy/index.ts';
import { OnnxError } from '../errors.ts';
import { OUTPUTS } from '../signature.ts';
import type { ComparedGraphs, CompareJob, CompareProgress } from './compare.ts';
import { arranged, probabilitiesOf } from './conventions.ts';

const SESSION_OPTIONS: InferenceSession.SessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
};
const BATCH = 250;
/** Samples that are predicted one by one as well. */
const ALONE = 32;
/** As far as float32 arithmetic in another order explains. */
const TOLERANCE = 1e-5;

serveChild(async (job: CompareJob, report: (progress: CompareProgress) => void): Promise<ComparedGraphs> => {
  const served = await Graph.load(job.served);
  const bare = await Graph.load(job.bare);
  const samples = await readSamples(job.samples, job.dtype);
  const size = job.shape.reduce((product, length) => product * length, 1);
  const classes = job.labels.length;
  const probabilities = new Float32Array(job.count * classes);
  let maxAbsDifference = 0;
  let labelled = 0;
  for (let start = 0; start < job.count; start += BATCH) {
    const count = Math.min(BATCH, job.count - start);
    const raw = Float32Array.from(samples.subarray(start * size, (start + count) * size));
    const rows = await served.probabilities(raw, [count, ...job.shape], classes);
    const own = await bare.scores(arranged(raw, job), [count, ...job.taken]);
    const expected = probabilitiesOf(own.scores, { ...job, classes });
    maxAbsDifference = Math.max(maxAbsDifference, largestDifference(expected, rows));
    labelled += agreeing(own.labels, rows, job.labels);
    if (start === 0) await checkAlone(served, { raw, rows, size, shape: job.shape, classes });
    probabilities.set(rows, start * classes);
    report({ done: start + count, total: job.count });
  }
  return { probabilities, maxAbsDifference, labelled };
});

/** What is said of a sample must not depend on the samples beside it: batches are cut anew in serving. */
async function checkAlone(
  served: Graph,
  o: { raw: Float32Array; rows: Float32Array; size: number; shape: readonly number[]; classes: number },
): Promise<void> {
  for (let row = 0; row < Math.min(ALONE, o.raw.length / o.size); row += 1) {
    const sample = o.raw.slice(row * o.size, (row + 1) * o.size);
    const alone = await served.probabilities(sample, [1, ...o.shape], o.classes);
    if (largestDifference(alone, o.rows.subarray(row * o.classes, (row + 1) * o.classes)) <= TOLERANCE) continue;
    throw new OnnxError('MODEL_DISAGREES', `test sample ${row} is another alone than in a batch`, {
      field: OUTPUTS.probabilities,
    });
  }
}

/** Rows whose class, by the graph's own word, has the largest probability; all of them where it says none. */
function agreeing(own: readonly string[] | undefined, rows: Float32Array, labels: readonly string[]): number {
  const classes = labels.length;
  if (own === undefined) return rows.length / classes;
  return own.filter((label, row) => {
    const said = rows[row * classes + labels.indexOf(label)] ?? Number.NEGATIVE_INFINITY;
    return said >= Math.max(...rows.subarray(row * classes, (row + 1) * classes)) - TOLERANCE;
  }).length;
}

/** NaN where one of them is. */
function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - (b[i] ?? Number.NaN))), 0);
}

class Graph {
  readonly #session: InferenceSession;

  private constructor(session: InferenceSession) {
    this.#session = session;
  }

  static async load(path: string): Promise<Graph> {
    try {
      return new Graph(await InferenceSession.create(await readFile(path), SESSION_OPTIONS));
    } catch (cause) {
      const message = `ONNX Runtime refused the model: ${(cause as Error).message}`;
      throw new OnnxError('MODEL_LOAD_FAILED', message, { cause });
    }
  }

  async probabilities(values: Float32Array, shape: readonly number[], classes: number): Promise<Float32Array> {
    const outputs = await this.#run(new Tensor('float32', values, shape));
    const rows = outputs[OUTPUTS.probabilities]?.data as Float32Array;
    const count = shape[0] ?? 0;
    if (rows.length !== count * classes) {
      throw new OnnxError('MODEL_DISAGREES', `${rows.length} scores for ${count} samples of ${classes} classes`, {
        field: 'card.output.name',
      });
    }
    checkProbabilities(rows, classes);
    return rows;
  }

  async scores(
    values: Float32Array,
    shape: readonly number[],
  ): Promise<{ scores: ArrayLike<number>; labels: string[] | undefined }> {
    const [metadata] = this.#session.inputMetadata;
    const double = metadata?.isTensor === true && metadata.type === 'float64';
    const tensor = double
      ? new Tensor('float64', Float64Array.from(values), shape)
      : new Tensor('float32', values, shape);
    const outputs = await this.#run(tensor);
    const [scores, label] = this.#session.outputNames;
    return {
      scores: outputs[scores ?? '']?.data as Float32Array,
      labels: label === undefined ? undefined : Array.from(outputs[label]?.data as BigInt64Array, String),
    };
  }

  async #run(tensor: Tensor): Promise<InferenceSession.OnnxValueMapType> {
    try {
      return await this.#session.run({ [this.#session.inputNames[0] as string]: tensor });
    } catch (cause) {
      const message = `ONNX Runtime cannot run the model: ${(cause as Error).message}`;
      throw new OnnxError('MODEL_LOAD_FAILED', message, { cause });
    }
  }
}

/** Probabilities lie between 0 and 1 and add up to 1, as far as float32 goes. */
function checkProbabilities(rows: Float32Array, classes: number): void {
  for (let row = 0; row < rows.length / classes; row += 1) {
    const values = rows.subarray(row * classes, (row + 1) * classes);
    const sum = values.reduce((total, value) => total + value, 0);
    if (Math.abs(sum - 1) <= 1e-3 && values.every((value) => value >= -TOLERANCE && value <= 1 + TOLERANCE)) continue;
    throw new OnnxError('MODEL_DISAGREES', `the scores of test sample ${row} add up to ${sum}: no probabilities`, {
      field: 'card.output.kind',
    });
  }
}
