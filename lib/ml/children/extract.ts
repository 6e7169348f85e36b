import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { rangeOf } from '../../adversary/index.ts';
import { serveChild } from '../../heavy/index.ts';
import type { ExtractionJob, ExtractionReport } from '../extraction/extract-in-child.ts';
import { halve } from '../extraction/halves.ts';
import type { Answered } from '../extraction/known.ts';
import { trainingSizes } from '../extraction/point.ts';
import { Substitute } from '../extraction/substitute.ts';
import { firstClasses, Thief } from '../extraction/thief.ts';
import { loadTensorFlow } from '../native/addon.ts';
import { Samples } from '../training/samples.ts';

/** Milliseconds between two progress reports. */
const REPORT_MS = 500;
/** Of one question: no model may take so long for it that its thief seems dead. */
const QUESTION_ROWS = 500;

serveChild(
  async (
    job: ExtractionJob,
    report: (value: ExtractionReport) => void,
    ask: <Answer>(value: ExtractionReport) => Promise<Answer>,
  ): Promise<number> => {
    const { extraction, manifest, model, folder, answers } = job;
    const { own, unseen } = halve(manifest.splits.test.count, extraction);
    const samples = new Samples(manifest, job.files, 'float32');
    const rows = (indices: Uint32Array): Float32Array => samples.feed(indices).samples.data as Float32Array;
    const size = manifest.input.shape.reduce((product, length) => product * length, 1);
    const classes = manifest.labels.length;
    const substitute = new Substitute(loadTensorFlow().binding, { model, manifest, training: extraction.training });
    const progress = new Progress(report, job, { own: own.length, substitute });
    const questions = new Questions(ask, { folder, size, classes, labelsOnly: answers === 'labels' });
    const thief = new Thief({
      ...{ substitute, size, classes, own: rows(own), range: rangeOf(manifest.input.dtype) },
      ...{ step: extraction.step, seed: extraction.seed, most: Math.max(...extraction.queries) },
      ask: (x) => questions.ask(x),
      onStep: () => progress.step(),
    });
    if (job.made !== undefined) await thief.resume(readMade(job.made, { size, classes }), job.made.rounds);
    const others = rows(unseen);
    for (const queries of job.queries) {
      const begun = performance.now();
      progress.begin(queries);
      await thief.grow(queries);
      await thief.train();
      const predicted = [...substitute.predict(others)];
      const seconds = (performance.now() - begun) / 1000;
      await ask({ kind: 'substitute', queries, predicted, seconds, made: writeMade(thief, folder) });
    }
    return job.queries.length;
  },
);

function readMade(
  { count, x, y }: NonNullable<ExtractionJob['made']>,
  { size, classes }: { readonly size: number; readonly classes: number },
): Answered {
  const read = (path: string, numbers: number): Float32Array =>
    new Float32Array(new Uint8Array(readFileSync(path)).buffer, 0, numbers);
  return { x: read(x, count * size), y: read(y, count * classes), count };
}

function writeMade(thief: Thief, folder: string): Extract<ExtractionReport, { kind: 'substitute' }>['made'] {
  const { x, y, count } = thief.made;
  if (count === 0) return undefined;
  const paths = { x: join(folder, 'made-x.f32'), y: join(folder, 'made-y.f32') };
  writeFileSync(paths.x, x);
  writeFileSync(paths.y, y);
  return { ...paths, count, rounds: thief.rounds };
}

interface QuestionOptions {
  readonly folder: string;
  readonly size: number;
  readonly classes: number;
  readonly labelsOnly: boolean;
}

/** Asks the parent, who asks the model. */
class Questions {
  readonly #ask: <Answer>(value: ExtractionReport) => Promise<Answer>;
  readonly #options: QuestionOptions;

  constructor(ask: <Answer>(value: ExtractionReport) => Promise<Answer>, options: QuestionOptions) {
    this.#ask = ask;
    this.#options = options;
  }

  async ask(x: Float32Array): Promise<Float32Array> {
    const { folder, size, classes, labelsOnly } = this.#options;
    const count = x.length / size;
    const y = new Float32Array(count * classes);
    const path = join(folder, 'question.f32');
    for (let begin = 0; begin < count; begin += QUESTION_ROWS) {
      const rows = Math.min(QUESTION_ROWS, count - begin);
      writeFileSync(path, x.subarray(begin * size, (begin + rows) * size));
      y.set(await this.#ask<Float32Array>({ kind: 'question', path, count: rows }), begin * classes);
    }
    return labelsOnly ? firstClasses(y, classes) : y;
  }
}

/** Tells how far the shard is, by the steps of its trainings. */
class Progress {
  readonly #report: (value: ExtractionReport) => void;
  readonly #batchSize: number;
  /** Steps of the whole shard. */
  readonly #all: number;
  #steps: number;
  #queries = 0;
  #reported = performance.now();

  constructor(
    report: (value: ExtractionReport) => void,
    { extraction, queries }: ExtractionJob,
    { own, substitute }: { readonly own: number; readonly substitute: Substitute },
  ) {
    const sizes = trainingSizes(extraction, own);
    const steps = (of: readonly number[]): number => of.reduce((sum, size) => sum + substitute.steps(size), 0);
    const finished = extraction.queries[extraction.queries.indexOf(queries[0] ?? 0) - 1] ?? 0;
    this.#report = report;
    this.#batchSize = extraction.training.batchSize;
    this.#all = steps(sizes);
    this.#steps = steps(sizes.filter((size) => size <= finished));
  }

  begin(queries: number): void {
    this.#queries = queries;
  }

  async step(): Promise<void> {
    this.#steps += 1;
    if (performance.now() - this.#reported < REPORT_MS) return;
    this.#reported = performance.now();
    const done = Math.min(1, this.#steps / this.#all);
    this.#report({ kind: 'progress', queries: this.#queries, done, samples: this.#steps * this.#batchSize });
    // Lets the report out, and the end of the parent in.
    await turn();
  }
}
