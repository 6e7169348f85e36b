import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import type { EpochMeasure } from '../../../contracts/activities.ts';
import type { TrainingHeartbeat } from '../../../contracts/progress.ts';
import { regressionOf } from '../../../contracts/prepared-data.ts';
import { writeSafetensors } from '../safetensors.ts';
import { unflatten } from '../parameters.ts';
import { encodeCheckpoint } from './checkpoint.ts';
import type { Position } from './checkpoint.ts';
import { History, validationOf } from './history.ts';
import type { Validation } from './history.ts';
import { lastStep, stepsPerEpoch } from './job.ts';
import type { TrainingJob } from './job.ts';
import type { StepResult } from './loop.ts';
import type { Replica } from './replica.ts';
import { quantityMeasures } from './quantity.ts';
import { identityOf } from './start.ts';

/** Between two progress reports. */
const REPORT_SECONDS = 0.5;
/** Lines in the history of a whole training, about. */
const HISTORY_LINES = 400;

export type LeaderReport =
  | { readonly kind: 'phase'; readonly phase: string }
  | { readonly kind: 'progress'; readonly progress: Omit<TrainingHeartbeat, 'kind' | 'checkpointStep' | 'device'> }
  /** Asked, not told: training goes on when the parent has made the file durable and announced it. */
  | { readonly kind: 'checkpoint'; readonly step: number; readonly path: string };

export interface LeaderOptions {
  readonly job: TrainingJob;
  readonly replica: Replica;
  readonly position: Position;
  readonly report: (report: LeaderReport) => void;
  readonly ask: (report: LeaderReport) => Promise<unknown>;
}

/** What rank 0 does beside training: keeps the history, reports progress, writes checkpoints, ends segments. */
export class Leader {
  readonly #options: LeaderOptions;
  readonly #history: History;
  readonly #resumes: number;
  readonly #steps: number;
  readonly #started = seconds();
  #step: number;
  #seconds: number;
  #lastStep = seconds();
  #reported: { readonly at: number; samples: number; loss: number; steps: number };

  constructor(options: LeaderOptions) {
    const { job, position } = options;
    this.#options = options;
    this.#steps = lastStep(job);
    // Of the whole training, so that one that stops on the way and goes on has the history of one that did not stop.
    const whole = job.training.epochs * stepsPerEpoch(job);
    this.#history = new History(Math.max(1, Math.ceil(whole / HISTORY_LINES)), position.history);
    this.#resumes = position.resumes + (position.step > 0 ? 1 : 0);
    this.#step = position.step;
    this.#seconds = position.seconds;
    this.#reported = { at: seconds(), samples: 0, loss: 0, steps: 0 };
  }

  /** True once the segment's time is over. */
  stop(): boolean {
    return seconds() - this.#started >= this.#options.job.segmentSeconds;
  }

  async onStep(result: StepResult): Promise<void> {
    const { step, epoch, validation } = result;
    const now = seconds();
    const spent = now - this.#lastStep;
    this.#lastStep = now;
    this.#step = step;
    this.#seconds += spent;
    const classified = this.#options.job.model.task === 'multiclass';
    const validated = validation && this.#validated(validation);
    const learningRate = this.#options.replica.learningRate(step);
    const right = classified ? result.right : undefined;
    this.#history.add({ ...result, right, epoch, learningRate, seconds: spent }, validated);
    this.#reported.samples += result.samples;
    this.#reported.loss += result.loss;
    this.#reported.steps += 1;
    if (result.last || now - this.#reported.at >= REPORT_SECONDS) await this.#progress(epoch, now);
    if (result.last || step % this.#options.job.training.checkpointSteps === 0) await this.#checkpoint();
  }

  /** Writes what a finished training leaves: the paths, and the validation of the last epoch that was asked for. */
  finish(): { weights: string; history: string; validation: EpochMeasure | undefined } {
    const { job, replica } = this.#options;
    const paths = { weights: join(job.folder, 'weights.safetensors'), history: join(job.folder, 'history.ndjson') };
    writeFileSync(paths.weights, writeSafetensors(unflatten(replica.network.parameters, replica.state.weights)));
    writeFileSync(paths.history, this.#history.ndjson);
    const validation = validationOf(this.#history.ndjson, job.stopAfterEpoch ?? job.training.epochs);
    return { ...paths, validation };
  }

  get summary(): { step: number; steps: number; seconds: number; resumes: number } {
    return { step: this.#step, steps: this.#steps, seconds: this.#seconds, resumes: this.#resumes };
  }

  #validated({ loss, accuracy }: NonNullable<StepResult['validation']>): Validation {
    const { job, replica } = this.#options;
    const regression = regressionOf(job.manifest);
    if (regression === undefined) return { valLoss: loss, valAccuracy: accuracy };
    const { rmse, r2 } = quantityMeasures(loss, { scale: regression.scale, variance: replica.validationVariance });
    return { valLoss: loss, valRmse: rmse, valR2: r2 };
  }

  async #progress(epoch: number, now: number): Promise<void> {
    const { job, position, report } = this.#options;
    const { at, samples, loss, steps } = this.#reported;
    const perStep = (now - this.#started) / (this.#step - position.step);
    report({
      kind: 'progress',
      progress: {
        epoch,
        epochs: job.stopAfterEpoch ?? job.training.epochs,
        step: this.#step,
        steps: this.#steps,
        loss: loss / steps,
        throughput: samples / (now - at),
        eta: perStep * (this.#steps - this.#step),
      },
    });
    this.#reported = { at: now, samples: 0, loss: 0, steps: 0 };
    // Lets the report out, and the end of the parent in.
    await turn();
  }

  async #checkpoint(): Promise<void> {
    const { job, replica, ask } = this.#options;
    const path = join(job.folder, `checkpoint-${this.#step}.safetensors`);
    const position = {
      step: this.#step,
      seconds: this.#seconds,
      resumes: this.#resumes,
      history: this.#history.state,
    };
    writeFileSync(path, encodeCheckpoint(replica.network.parameters, replica.state, identityOf(job), position));
    await ask({ kind: 'checkpoint', step: this.#step, path });
  }
}

function seconds(): number {
  return performance.now() / 1000;
}
