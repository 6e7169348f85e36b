import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { readSamples } from '../../datasets/index.ts';
import { serveChild } from '../../heavy/index.ts';
import { OnnxError } from '../errors.ts';
import { feeder } from '../feeds.ts';
import { openSession } from '../session.ts';
import { OUTPUTS } from '../signature.ts';
import { bareFeeder } from './bare-feeds.ts';
import type { ComparedGraphs, CompareJob, CompareProgress } from './compare.ts';
import { answersOf } from './conventions.ts';

const BATCH = 250;
/** Samples that are predicted one by one as well. */
const ALONE = 32;
/** As far as float32 arithmetic in another order explains. */
const TOLERANCE = 1e-5;

serveChild(async (job: CompareJob, report: (progress: CompareProgress) => void): Promise<ComparedGraphs> => {
  const served = await openSession(job.served);
  const bare = await openSession(job.bare);
  const samples = await readSamples(job.samples, job.dtype);
  const answer = servedAnswers(served, job, feeder(served, samples, { shape: job.shape, columns: job.table }));
  const feedBare = bareFeeder(bare, samples, job);
  const width = answerWidth(job);
  const answers = new Float32Array(job.count * width);
  let maxAbsDifference = 0;
  let labelled = 0;
  for (let begin = 0; begin < job.count; begin += BATCH) {
    const end = Math.min(job.count, begin + BATCH);
    const rows = await answer(begin, end);
    const own = await bareAnswers(bare, feedBare(begin, end));
    const expected = answersOf(own.scores, { ...job, classes: width });
    maxAbsDifference = Math.max(maxAbsDifference, largestDifference(expected, rows));
    labelled += agreeing(own.labels, rows, job.labels);
    if (begin === 0) await checkAlone(answer, rows, job);
    answers.set(rows, begin * width);
    report({ done: end, total: job.count });
  }
  return { answers, maxAbsDifference, labelled };
});

/** Numbers that are answered for one sample. */
function answerWidth({ labels }: Pick<CompareJob, 'labels'>): number {
  return Math.max(1, labels.length);
}

type Answer = (begin: number, end: number) => Promise<Float32Array>;

/** What the served graph says of the samples `[begin, end)`: rows of probabilities, or quantities. */
function servedAnswers(
  session: InferenceSession,
  job: CompareJob,
  feed: (begin: number, end: number) => Record<string, Tensor>,
): Answer {
  const quantity = job.kind === 'quantity';
  const width = answerWidth(job);
  return async (begin, end) => {
    const outputs = await run(session, feed(begin, end));
    const rows = outputs[quantity ? OUTPUTS.prediction : OUTPUTS.probabilities]?.data as Float32Array;
    if (rows.length !== (end - begin) * width) {
      throw new OnnxError('MODEL_DISAGREES', `${rows.length} numbers for ${end - begin} samples of ${width}`, {
        field: 'card.output.name',
      });
    }
    if (quantity) checkQuantities(rows);
    else checkProbabilities(rows, width);
    return rows;
  };
}

async function bareAnswers(
  session: InferenceSession,
  feeds: Record<string, Tensor>,
): Promise<{ scores: ArrayLike<number>; labels: string[] | undefined }> {
  const outputs = await run(session, feeds);
  const [scores, label] = session.outputNames;
  return {
    scores: outputs[scores ?? '']?.data as Float32Array,
    labels: label === undefined ? undefined : Array.from(outputs[label]?.data as BigInt64Array, String),
  };
}

/** What is said of a sample must not depend on the samples beside it: batches are cut anew in serving. */
async function checkAlone(answer: Answer, rows: Float32Array, job: CompareJob): Promise<void> {
  const width = answerWidth(job);
  for (let row = 0; row < Math.min(ALONE, rows.length / width); row += 1) {
    const alone = await answer(row, row + 1);
    if (largestDifference(alone, rows.subarray(row * width, (row + 1) * width)) <= job.tolerance) continue;
    throw new OnnxError('MODEL_DISAGREES', `test sample ${row} is another alone than in a batch`, {
      field: job.kind === 'quantity' ? OUTPUTS.prediction : OUTPUTS.probabilities,
    });
  }
}

/** Rows whose class, by the graph's own word, has the largest probability; all of them where it says none. */
function agreeing(own: readonly string[] | undefined, rows: Float32Array, labels: readonly string[]): number {
  const classes = Math.max(1, labels.length);
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

async function run(
  session: InferenceSession,
  feeds: Record<string, Tensor>,
): Promise<InferenceSession.OnnxValueMapType> {
  try {
    return await session.run(feeds);
  } catch (cause) {
    const message = `ONNX Runtime cannot run the model: ${(cause as Error).message}`;
    throw new OnnxError('MODEL_LOAD_FAILED', message, { cause });
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

function checkQuantities(rows: Float32Array): void {
  const row = rows.findIndex((value) => !Number.isFinite(value));
  if (row === -1) return;
  throw new OnnxError('MODEL_DISAGREES', `the prediction of test sample ${row} is ${rows[row]}: no quantity`, {
    field: 'card.output.name',
  });
}
