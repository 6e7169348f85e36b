import type { TFJSBinding } from '@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js';
import { drops, GRADIENT_EXTRAS, networkGraph } from '../graph/network.ts';
import { accumulatorNames, optimizerScalars } from '../graph/optimizer.ts';
import { GraphSession } from '../native/session.ts';
import type { Feed } from '../native/session.ts';
import { operationSeed, RandomStream } from '../random.ts';
import { trainingAdversary } from './adversary.ts';
import type { TrainingAdversary } from './adversary.ts';
import { networkOf, stepsPerEpoch } from './job.ts';
import type { Network, TrainingJob } from './job.ts';
import { part } from './partition.ts';
import { Samples } from './samples.ts';
import { learningRateAt } from './schedule.ts';

/** Samples in one call of the evaluation. */
const EVALUATION_BATCH = 500;

/** Weights and accumulators, flat. */
export interface ReplicaState {
  readonly weights: Float32Array;
  readonly accumulators: Readonly<Record<string, Float32Array>>;
}

/**
 * One data-parallel copy of a network with its share of the work. Copies stay equal bit for bit, as each applies the
 * same sum of all gradients.
 */
export class Replica {
  readonly network: Network;
  readonly #job: TrainingJob;
  readonly #rank: number;
  readonly #session: GraphSession;
  readonly #train: Samples;
  readonly #validation: Samples;
  readonly #adversary: TrainingAdversary | undefined;
  readonly #dropouts: number;
  readonly #gradient: Float32Array;
  #order: { readonly epoch: number; readonly indices: Uint32Array } | undefined;

  constructor(binding: TFJSBinding, job: TrainingJob, rank: number) {
    const { manifest, training, plan } = job;
    this.network = networkOf(job.model, manifest);
    this.#job = job;
    this.#rank = rank;
    const attacked = training.adversarial !== undefined;
    // Bytes have no gradient: a training that attacks its samples feeds all of them as float32.
    const dtype = attacked ? 'float32' : manifest.input.dtype;
    const input = { ...manifest.input, dtype };
    const graph = networkGraph(
      { ...this.network, ...manifest, input },
      { config: training, replicas: plan.replicas },
      { inputGradients: attacked },
    );
    this.#session = new GraphSession(binding, graph);
    this.#train = new Samples(manifest, job.files.train, dtype);
    this.#validation = new Samples(manifest, job.files.validation, dtype);
    this.#adversary = trainingAdversary(job, (feeds) => this.#session.run({ ...feeds }, 'inputGradients'));
    this.#dropouts = drops(training) ? job.model.layers.filter(({ type }) => type === 'dropout').length : 0;
    this.#gradient = new Float32Array(this.network.size + GRADIENT_EXTRAS);
  }

  get state(): ReplicaState {
    const names = accumulatorNames(this.#job.training.optimizer);
    const accumulators = names.map((name) => [name, this.#session.run({}, `get.${name}`)]);
    return {
      weights: this.#session.run({}, 'get.weights'),
      accumulators: Object.fromEntries(accumulators) as Record<string, Float32Array>,
    };
  }

  set state({ weights, accumulators }: ReplicaState) {
    this.#set('weights', weights);
    for (const [name, values] of Object.entries(accumulators)) this.#set(name, values);
  }

  /** Of the standardised targets of the validation split. */
  get validationVariance(): number {
    return this.#validation.variance;
  }

  /**
   * Gradient of this replica's share of the batch of `step` (from 1), then the share's part of the mean loss and its
   * right predictions. Valid until the next call.
   */
  gradient(step: number): Float32Array {
    const { batch, epoch, index } = this.#batch(step);
    const { replicas, split } = this.#job.plan;
    const share = part(batch, this.#rank, replicas);
    const scale: Feed = { shape: [], data: Float32Array.of(1 / batch.length) };
    const sum = this.#gradient.fill(0);
    for (let micro = 0; micro < split; micro += 1) {
      const indices = part(share, micro, split);
      if (indices.length === 0) continue;
      const seeds = this.#dropoutSeeds(epoch, index, micro);
      const feeds = this.#train.feed(indices);
      const attacked = this.#adversary?.attack(feeds, { epoch, indices }) ?? feeds;
      const gradient = this.#session.run({ ...attacked, scale, ...seeds }, 'gradients');
      if (split === 1) sum.set(gradient);
      else
        for (let entry = 0; entry < sum.length; entry += 1)
          sum[entry] = (sum[entry] as number) + (gradient[entry] as number);
    }
    return sum;
  }

  /** Adds up the gradients of all replicas in the order of their ranks and applies them. */
  update(step: number, gradients: readonly Float32Array[]): void {
    const { optimizer } = this.#job.training;
    const feeds: Record<string, Feed> = {};
    gradients.forEach((gradient, rank) => {
      feeds[`gradient.${rank}`] = { shape: [this.network.size], data: gradient.subarray(0, this.network.size) };
    });
    const { learningRate, ...powers } = optimizerScalars(optimizer, this.learningRate(step), step);
    const scalars = optimizer.type === 'adam' ? { learningRate, ...powers } : { learningRate };
    for (const [name, value] of Object.entries(scalars)) feeds[name] = { shape: [], data: Float32Array.of(value) };
    this.#session.run(feeds, 'updated');
  }

  /** This replica's share of the validation split: summed loss and right predictions. */
  evaluate(): Float32Array {
    const all = Uint32Array.from({ length: this.#validation.count }, (_, index) => index);
    const share = part(all, this.#rank, this.#job.plan.replicas);
    const total = new Float32Array(2);
    for (let begin = 0; begin < share.length; begin += EVALUATION_BATCH) {
      const feeds = this.#validation.feed(share.subarray(begin, begin + EVALUATION_BATCH));
      const [loss = 0, right = 0] = this.#session.run({ ...feeds }, 'evaluation');
      total[0] = (total[0] ?? 0) + loss;
      total[1] = (total[1] ?? 0) + right;
    }
    return total;
  }

  learningRate(step: number): number {
    const { training } = this.#job;
    return learningRateAt(training.optimizer.learningRate, step, training.epochs * stepsPerEpoch(this.#job));
  }

  #set(name: string, values: Float32Array): void {
    this.#session.run({ [`set.${name}`]: { shape: [values.length], data: values } }, `done.${name}`);
  }

  #batch(step: number): { batch: Uint32Array; epoch: number; index: number } {
    const { training, seed } = this.#job;
    const steps = stepsPerEpoch(this.#job);
    const epoch = Math.floor((step - 1) / steps);
    const index = (step - 1) % steps;
    if (this.#order?.epoch !== epoch) {
      this.#order = { epoch, indices: new RandomStream('permutation', seed, epoch).permutation(this.#train.count) };
    }
    const begin = index * training.batchSize;
    return { batch: this.#order.indices.subarray(begin, begin + training.batchSize), epoch, index };
  }

  #dropoutSeeds(epoch: number, index: number, micro: number): Record<string, Feed> {
    if (this.#dropouts === 0) return {};
    const seeds = Array.from({ length: this.#dropouts }, (_, layer) =>
      operationSeed('dropout', this.#job.seed, epoch, index, layer, this.#rank, micro),
    );
    return { dropoutSeeds: { shape: [this.#dropouts, 2], data: Int32Array.from(seeds.flat()) } };
  }
}
