import type { Square } from '../../contracts/adversary.ts';
import { ballAround } from './ball.ts';
import type { Ball, ValueRange } from './ball.ts';
import type { Uniform } from './steps.ts';

/** What a model answers to `count` samples: probabilities [count, classes] row-major. */
export type ScoreOracle = (x: Float32Array, count: number) => Promise<Float32Array>;

export interface SquareBatch {
  /** Raw samples, [batch, size] row-major. */
  readonly x: Float32Array;
  readonly labels: Int32Array;
  /** Of one sample: [height, width, channels], or anything else for values without places. */
  readonly shape: readonly number[];
  readonly classes: number;
  readonly range: ValueRange;
  /** What the model says of the samples as they are. */
  readonly clean: Float32Array;
  /** Random numbers that depend on nothing but the sample at this row. */
  readonly uniform: (row: number) => Uniform;
}

export interface SquareResult {
  /** [batch, size]; a sample that the model gets wrong anyway is left as it is. */
  readonly adversarial: Float32Array;
  readonly predicted: Int32Array;
}

/** Share of the values that the first proposals change (Croce and Hein, 2020, AutoAttack). */
const FIRST_SHARE = 0.8;
/** Of ten thousand queries: where the share is halved. Scaled to the queries that there are. */
const HALVED_AT = [10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000];

/**
 * Square Attack under L∞ (Andriushchenko, Croce, Flammarion and Hein, 2020, algorithms 1 and 2): a random search that asks
 * for the model's scores and for nothing else. It starts from vertical stripes of ±ε; each query then moves a random
 * square, channel by channel, to one side of the ball, and keeps it where the margin p(label) - max p(other) shrinks.
 *
 * Values without places (one axis) have no squares and stripes: there every value starts at a sign of its own, and a
 * query moves a random set of as many values as the square would have had.
 *
 * @param epsilon share of the range
 */
export async function squareAttack(
  { queries }: Pick<Square, 'queries'>,
  epsilon: number,
  batch: SquareBatch,
  oracle: ScoreOracle,
): Promise<SquareResult> {
  const search = new Search(batch, ballAround(batch.x, epsilon, batch.range));
  for (let query = 0; query < queries && search.standing.length > 0; query += 1) {
    const share = shareAt(query / queries);
    const { x, rows } = query === 0 ? search.first() : search.propose(share);
    search.judge(x, rows, await oracle(x, rows.length), query === 0);
  }
  return search.result;
}

/** Share of the values that a query changes, when so much of the queries is used up. */
export function shareAt(done: number): number {
  return FIRST_SHARE / 2 ** HALVED_AT.filter((at) => done * 10_000 > at).length;
}

interface Proposals {
  /** [rows, size]. */
  readonly x: Float32Array;
  /** Rows of the batch that they are for. */
  readonly rows: readonly number[];
}

class Search {
  readonly #batch: SquareBatch;
  readonly #ball: Ball;
  readonly #size: number;
  readonly #best: Float32Array;
  readonly #margins: Float64Array;
  readonly #predicted: Int32Array;
  readonly #uniforms: readonly Uniform[];
  standing: number[];

  constructor(batch: SquareBatch, ball: Ball) {
    this.#batch = batch;
    this.#ball = ball;
    this.#size = batch.shape.reduce((product, length) => product * length, 1);
    this.#best = batch.x.slice();
    this.#margins = new Float64Array(batch.labels.length);
    this.#predicted = new Int32Array(batch.labels.length);
    this.#uniforms = Array.from(batch.labels, (_, row) => batch.uniform(row));
    this.standing = [...batch.labels.keys()];
    this.#take(this.standing, batch.clean, () => true);
  }

  get result(): SquareResult {
    return { adversarial: this.#best, predicted: this.#predicted };
  }

  first(): Proposals {
    return this.#proposals((x, { at, row, uniform }) => {
      const [, width = 0, channels = 1] = this.#batch.shape;
      const stripes = Array.from({ length: this.#flat ? this.#size : width * channels }, () => uniform() < 0.5);
      for (let i = 0; i < this.#size; i += 1) x[at + i] = this.#side(row, i, stripes[i % stripes.length] as boolean);
    });
  }

  propose(share: number): Proposals {
    return this.#proposals((x, { at, row, uniform }) => {
      if (this.#flat) return this.#moveSome(x, share, { at, row, uniform });
      const [height = 0, width = 0, channels = 1] = this.#batch.shape;
      const most = Math.min(height, width);
      const side = Math.max(1, Math.min(most, Math.round(Math.sqrt(share * height * width))));
      const top = Math.floor(uniform() * (height - side + 1));
      const left = Math.floor(uniform() * (width - side + 1));
      for (let channel = 0; channel < channels; channel += 1) {
        const up = uniform() < 0.5;
        for (let y = top; y < top + side; y += 1) {
          for (let column = left; column < left + side; column += 1) {
            const i = (y * width + column) * channels + channel;
            x[at + i] = this.#side(row, i, up);
          }
        }
      }
    });
  }

  /** Keeps what shrinks a margin; the first proposals are where the search begins, whatever they do. */
  judge(x: Float32Array, rows: readonly number[], scores: Float32Array, always: boolean): void {
    this.#take(rows, scores, (row, margin, position) => {
      if (!always && !(margin < (this.#margins[row] as number))) return false;
      this.#best.set(x.subarray(position * this.#size, (position + 1) * this.#size), row * this.#size);
      return true;
    });
  }

  get #flat(): boolean {
    return this.#batch.shape.length !== 3;
  }

  #side(row: number, i: number, up: boolean): number {
    return (up ? this.#ball.upper : this.#ball.lower)[row * this.#size + i] as number;
  }

  #moveSome(x: Float32Array, share: number, { at, row, uniform }: Place): void {
    const count = Math.max(1, Math.round(share * this.#size));
    for (let moved = 0; moved < count; moved += 1) {
      const i = Math.floor(uniform() * this.#size);
      x[at + i] = this.#side(row, i, uniform() < 0.5);
    }
  }

  #proposals(change: (x: Float32Array, place: Place) => void): Proposals {
    const rows = this.standing;
    const x = new Float32Array(rows.length * this.#size);
    for (const [position, row] of rows.entries()) {
      const at = position * this.#size;
      x.set(this.#best.subarray(row * this.#size, (row + 1) * this.#size), at);
      change(x, { at, row, uniform: this.#uniforms[row] as Uniform });
    }
    return { x, rows };
  }

  #take(
    rows: readonly number[],
    scores: Float32Array,
    accept: (row: number, margin: number, position: number) => boolean,
  ): void {
    const { labels, classes } = this.#batch;
    for (const [position, row] of rows.entries()) {
      const label = labels[row] as number;
      const { margin, predicted } = judged(scores.subarray(position * classes, (position + 1) * classes), label);
      if (!accept(row, margin, position)) continue;
      this.#margins[row] = margin;
      this.#predicted[row] = predicted;
    }
    this.standing = this.standing.filter((row) => this.#predicted[row] === labels[row]);
  }
}

interface Place {
  /** Where the proposal begins. */
  readonly at: number;
  readonly row: number;
  readonly uniform: Uniform;
}

/** The class is that of the largest probability, of equal ones the lowest: as the served graph says. */
function judged(scores: Float32Array, label: number): { margin: number; predicted: number } {
  let predicted = 0;
  let other = Number.NEGATIVE_INFINITY;
  for (const [index, score] of scores.entries()) {
    if (score > (scores[predicted] as number)) predicted = index;
    if (index !== label) other = Math.max(other, score);
  }
  return { margin: (scores[label] as number) - other, predicted };
}
