import { stepShare } from '../../contracts/adversary.ts';
import type { Attack } from '../../contracts/adversary.ts';
import { ballAround } from './ball.ts';
import type { Ball, ValueRange } from './ball.ts';
import { AdversaryError } from './errors.ts';
import { ascend, randomStart } from './steps.ts';
import type { Uniform } from './steps.ts';

/** What the model says of a batch, one entry a sample. */
export interface Evaluation {
  /** Of the sample's loss with respect to its input, [batch, size] row-major. */
  readonly gradient: Float32Array;
  /** Cross-entropy in nats. */
  readonly loss: Float32Array;
  readonly predicted: Int32Array;
}

/** Evaluates the model on samples [batch, size] with the labels of the batch; it does not keep `x`. */
export type Oracle = (x: Float32Array) => Evaluation | Promise<Evaluation>;

export interface Batch {
  /** Raw samples, [batch, size] row-major. */
  readonly x: Float32Array;
  readonly labels: Int32Array;
  readonly size: number;
  readonly range: ValueRange;
  /** What the model says of the samples as they are. */
  readonly clean: Evaluation;
  /** Random numbers that depend on nothing but the sample at this row and the restart. */
  readonly uniform: (row: number, restart: number) => Uniform;
}

/** The worst that an attack found for each sample. A sample that the model gets wrong anyway is left as it is. */
export interface AttackedBatch {
  /** [batch, size]. */
  readonly adversarial: Float32Array;
  readonly predicted: Int32Array;
  readonly loss: Float32Array;
}

/**
 * Attacks a batch. Each sample goes its own way: what is found for one depends on no other, and a sample that fools the
 * model is not changed any more.
 *
 * @param epsilon share of the range
 * @throws AdversaryError ATTACK_UNSUPPORTED for an attack without gradients
 */
export async function attackBatch(
  attack: Attack,
  epsilon: number,
  batch: Batch,
  oracle: Oracle,
): Promise<AttackedBatch> {
  const ball = ballAround(batch.x, epsilon, batch.range);
  const found = new WorstFound(batch);
  if (attack.kind === 'square') {
    throw new AdversaryError('ATTACK_UNSUPPORTED', 'Square Attack asks a graph, and takes no gradients', {
      field: 'attacks',
    });
  }
  if (attack.kind === 'fgsm') await fgsm(batch, ball, found, oracle);
  else await pgd(attack, batch, ball, found, oracle);
  return found.result;
}

/** x + ε · sign ∇x J (Goodfellow, Shlens and Szegedy, 2015, section 4), inside the range. */
async function fgsm(batch: Batch, ball: Ball, found: WorstFound, oracle: Oracle): Promise<void> {
  if (found.allFooled) return;
  const x = batch.x.slice();
  move(x, batch.clean.gradient, { batch, ball, found, length: ball.radius });
  found.offer(x, await oracle(x));
}

/** Projected gradient ascent on the loss from random starts (Madry et al., 2018, section 2.1). */
async function pgd(
  attack: Extract<Attack, { kind: 'pgd' }>,
  batch: Batch,
  ball: Ball,
  found: WorstFound,
  oracle: Oracle,
): Promise<void> {
  const length = stepShare(attack) * ball.radius;
  for (let restart = 0; restart < attack.restarts && !found.allFooled; restart += 1) {
    const x = batch.x.slice();
    for (const row of found.standing()) {
      randomStart(x, ball, { row, size: batch.size, uniform: batch.uniform(row, restart) });
    }
    for (let step = 0; step < attack.steps && !found.allFooled; step += 1) {
      const evaluation = await oracle(x);
      found.offer(x, evaluation);
      move(x, evaluation.gradient, { batch, ball, found, length });
    }
    if (!found.allFooled) found.offer(x, await oracle(x));
  }
}

interface Move {
  readonly batch: Batch;
  readonly ball: Ball;
  readonly found: WorstFound;
  readonly length: number;
}

function move(x: Float32Array, gradient: Float32Array, { batch, ball, found, length }: Move): void {
  for (const row of found.standing()) ascend(x, gradient, ball, { row, size: batch.size, length });
}

/** Keeps the first example that fools the model, and until there is one the example of the greatest loss. */
class WorstFound {
  readonly #batch: Batch;
  readonly #adversarial: Float32Array;
  readonly #predicted: Int32Array;
  readonly #loss: Float32Array;
  #left: number;

  constructor(batch: Batch) {
    this.#batch = batch;
    this.#adversarial = batch.x.slice();
    this.#predicted = batch.clean.predicted.slice();
    this.#loss = batch.clean.loss.slice();
    this.#left = batch.labels.reduce((left, _, row) => left + (this.#fooled(row) ? 0 : 1), 0);
  }

  get result(): AttackedBatch {
    return { adversarial: this.#adversarial, predicted: this.#predicted, loss: this.#loss };
  }

  get allFooled(): boolean {
    return this.#left === 0;
  }

  /** Rows that still hold out. */
  *standing(): Generator<number> {
    for (let row = 0; row < this.#batch.labels.length; row += 1) if (!this.#fooled(row)) yield row;
  }

  offer(x: Float32Array, { loss, predicted }: Evaluation): void {
    const { size, labels } = this.#batch;
    for (const row of this.standing()) {
      const fools = predicted[row] !== labels[row];
      if (!fools && !((loss[row] as number) > (this.#loss[row] as number))) continue;
      this.#adversarial.set(x.subarray(row * size, (row + 1) * size), row * size);
      this.#predicted[row] = predicted[row] as number;
      this.#loss[row] = loss[row] as number;
      if (fools) this.#left -= 1;
    }
  }

  #fooled(row: number): boolean {
    return this.#predicted[row] !== this.#batch.labels[row];
  }
}
