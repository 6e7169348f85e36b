import { z } from 'zod';
import type { EpochMeasure } from '../../../contracts/activities.ts';

/** One line of the training history (NDJSON). `throughput` is in samples a second. */
export interface HistoryLine {
  readonly step: number;
  readonly epoch: number;
  readonly loss: number;
  /** Absent where there are no classes. */
  readonly accuracy?: number;
  readonly learningRate: number;
  readonly throughput: number;
  readonly valLoss?: number;
  readonly valAccuracy?: number;
  /** In the unit of the target. */
  readonly valRmse?: number;
  readonly valR2?: number;
}

/** What is summed since the last line. */
const Window = z.strictObject({ loss: z.number(), right: z.number(), samples: z.number(), seconds: z.number() });
type Window = z.infer<typeof Window>;

export const HistoryState = z.strictObject({ window: Window, lines: z.string() });
export type HistoryState = z.infer<typeof HistoryState>;

const EMPTY: Window = { loss: 0, right: 0, samples: 0, seconds: 0 };

export interface Step {
  readonly step: number;
  readonly epoch: number;
  readonly learningRate: number;
  /** Mean over the batch. */
  readonly loss: number;
  /** Absent where there are no classes. */
  readonly right?: number | undefined;
  readonly samples: number;
  readonly seconds: number;
}

export type Validation = Required<Pick<HistoryLine, 'valLoss'>> &
  Pick<HistoryLine, 'valAccuracy' | 'valRmse' | 'valR2'>;

/** The validation after an epoch; undefined where there is none, or where its loss is not finite. */
export function validationOf(ndjson: string, epoch: number): EpochMeasure | undefined {
  for (const text of ndjson.split('\n')) {
    if (text === '') continue;
    const line = JSON.parse(text) as HistoryLine;
    const { valLoss, valAccuracy, valRmse, valR2 } = line;
    // Numbers that are not finite are null in JSON.
    if (line.epoch !== epoch || typeof valLoss !== 'number') continue;
    if (typeof valAccuracy === 'number') return { epoch, loss: valLoss, accuracy: valAccuracy };
    if (typeof valRmse === 'number' && typeof valR2 === 'number')
      return { epoch, loss: valLoss, rmse: valRmse, r2: valR2 };
  }
  return undefined;
}

/** Collects steps into lines of means over about `every` steps; a line closes at each validation, too. */
export class History {
  readonly #every: number;
  #window: Window;
  #lines: string;

  constructor(every: number, state: HistoryState = { window: EMPTY, lines: '' }) {
    this.#every = every;
    this.#window = state.window;
    this.#lines = state.lines;
  }

  get state(): HistoryState {
    return { window: this.#window, lines: this.#lines };
  }

  get ndjson(): string {
    return this.#lines;
  }

  add(step: Step, validation?: Validation): void {
    const { loss, right, samples, seconds } = this.#window;
    this.#window = {
      loss: loss + step.loss * step.samples,
      right: right + (step.right ?? 0),
      samples: samples + step.samples,
      seconds: seconds + step.seconds,
    };
    if (validation !== undefined || step.step % this.#every === 0) this.#close(step, validation);
  }

  #close({ step, epoch, learningRate, right: counted }: Step, validation: Validation | undefined): void {
    const { loss, right, samples, seconds } = this.#window;
    const accuracy = counted === undefined ? {} : { accuracy: right / samples };
    const means = { loss: loss / samples, ...accuracy, throughput: Math.round(samples / seconds) };
    const line: HistoryLine = { step, epoch, ...means, learningRate, ...validation };
    this.#lines += `${JSON.stringify(line)}\n`;
    this.#window = EMPTY;
  }
}
