import type { ValueRange } from '../../adversary/index.ts';
import { operationSeed, RandomStream } from '../random.ts';
import { Known } from './known.ts';
import type { Answered } from './known.ts';
import type { Substitute } from './substitute.ts';

/** Rounds after which the augmentation turns round (τ of Papernot et al., section 5.2). */
const TURN = 3;

export interface ThiefOptions {
  readonly substitute: Substitute;
  /** The thief's own samples, in the order in which it asks about them. */
  readonly own: Float32Array;
  /** Numbers of a sample. */
  readonly size: number;
  readonly classes: number;
  readonly range: ValueRange;
  /** Length of a step of the augmentation, as a share of the range. */
  readonly step: number;
  readonly seed: number;
  /** Most queries. */
  readonly most: number;
  /** The model's answers: a distribution a sample. */
  readonly ask: (x: Float32Array) => Promise<Float32Array>;
  readonly onStep: () => Promise<void> | void;
}

/**
 * A thief who asks about samples of its own in a random order, as the random strategy of Knockoff Nets does (Orekondy,
 * Schiele and Fritz, CVPR 2019), and when they are used up makes more of what it has: each sample moves along the sign of
 * the substitute's gradient for the answered class, x + λ · sgn(∂p/∂x), which doubles what is known (Papernot et al.,
 * "Practical Black-Box Attacks against Machine Learning", ASIA CCS 2017, algorithm 1), with their periodic sign of λ.
 */
export class Thief {
  readonly known: Known;
  readonly #options: ThiefOptions;
  readonly #own: number;
  /** Answers that the present substitute was trained on. */
  #trained = 0;
  /** Of the augmentation. */
  rounds = 0;

  constructor(options: ThiefOptions) {
    this.#options = options;
    this.#own = options.own.length / options.size;
    this.known = new Known(options.most, options);
  }

  /** Queries that were made of others. */
  get made(): Answered {
    return this.known.from(Math.min(this.known.count, this.#own));
  }

  /** Asks until so many answers are known. */
  async grow(wanted: number): Promise<void> {
    const { own, size } = this.#options;
    const natural = own.subarray(this.known.count * size, Math.min(wanted, this.#own) * size);
    if (natural.length > 0) await this.#learn(natural);
    while (this.known.count < wanted) {
      await this.train();
      const missing = Math.min(this.known.count, wanted - this.known.count);
      await this.#learn(this.#moved(missing));
      this.rounds += 1;
    }
  }

  /** What an earlier attempt had made. */
  async resume(made: Answered, rounds: number): Promise<void> {
    await this.grow(this.#own);
    this.known.add(made.x, made.y);
    this.rounds = rounds;
  }

  /** A new substitute for all that is known, where the present one knows less. */
  async train(): Promise<void> {
    const { substitute, seed, onStep } = this.#options;
    const { count } = this.known;
    if (this.#trained === count) return;
    const [own] = operationSeed('substitute', seed, count);
    await substitute.train(this.known.all, own, onStep);
    this.#trained = count;
  }

  async #learn(x: Float32Array): Promise<void> {
    this.known.add(x, await this.#options.ask(x));
  }

  #moved(count: number): Float32Array {
    const { seed, substitute, range, step, classes } = this.#options;
    const order = new RandomStream('augmentation', seed, this.rounds).permutation(this.known.count);
    const chosen = this.known.pick(order.subarray(0, count));
    const gradients = substitute.gradients({ ...chosen, y: firstClasses(chosen.y, classes) });
    // The loss falls where the probability of the class rises.
    const length = -step * (range.high - range.low) * (-1) ** Math.floor(this.rounds / TURN);
    return chosen.x.map((value, index) => {
      const moved = value + length * Math.sign(gradients[index] ?? 0);
      return Math.min(range.high, Math.max(range.low, moved));
    });
  }
}

/** 1 for the likeliest class of each row, 0 for the others. */
export function firstClasses(y: Float32Array, classes: number): Float32Array {
  const first = new Float32Array(y.length);
  for (let begin = 0; begin < y.length; begin += classes) {
    const row = y.subarray(begin, begin + classes);
    first[begin + row.indexOf(Math.max(...row))] = 1;
  }
  return first;
}
