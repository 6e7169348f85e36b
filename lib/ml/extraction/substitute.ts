import type { TFJSBinding } from '@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js';
import type { z } from 'zod';
import type { SubstituteTraining } from '../../../contracts/extraction.ts';
import { Optimizer } from '../../../contracts/model-config.ts';
import type { ModelConfig } from '../../../contracts/model-config.ts';
import type { PreparedManifest } from '../../../contracts/prepared-data.ts';
import { MlError } from '../errors.ts';
import { networkGraph } from '../graph/network.ts';
import { accumulatorNames, optimizerScalars } from '../graph/optimizer.ts';
import { GraphSession } from '../native/session.ts';
import type { Feed } from '../native/session.ts';
import { initialParameters } from '../parameters.ts';
import { operationSeed, RandomStream } from '../random.ts';
import { networkOf } from '../training/job.ts';
import type { Network } from '../training/job.ts';
import { learningRateAt } from '../training/schedule.ts';
import type { Answered } from './known.ts';

/** Samples in one call without training; the last one is filled up: numbers of other batch sizes differ in the last bits. */
const BATCH = 250;
const WARM_UP = 0.05;

/** The network of a thief, trained from the beginning on whatever it knows. */
export class Substitute {
  readonly #model: ModelConfig;
  readonly #network: Network;
  readonly #session: GraphSession;
  readonly #size: number;
  readonly #training: SubstituteTraining;
  readonly #optimizer: z.infer<typeof Optimizer>;

  constructor(
    binding: TFJSBinding,
    { model, manifest, training }: { model: ModelConfig; manifest: PreparedManifest; training: SubstituteTraining },
  ) {
    this.#model = model;
    this.#training = training;
    this.#network = networkOf(model, manifest);
    this.#size = manifest.input.shape.reduce((product, length) => product * length, 1);
    this.#optimizer = Optimizer.parse({
      type: 'adam',
      learningRate: { initial: training.learningRate, schedule: 'cosine' },
    });
    const input = { ...manifest.input, dtype: 'float32' as const };
    const graph = networkGraph(
      { ...this.#network, ...manifest, input },
      { config: { optimizer: this.#optimizer, weightDecay: 0, labelSmoothing: 0 }, replicas: 1 },
      { inputGradients: true, soft: true },
    );
    this.#session = new GraphSession(binding, graph);
  }

  /** Steps that a training on so many answers takes. */
  steps(count: number): number {
    const { epochs, minSteps, batchSize } = this.#training;
    return Math.max(minSteps, Math.ceil((epochs * count) / batchSize));
  }

  /**
   * Forgets everything, and learns the answers.
   * @param onStep may let other things happen in between
   * @throws MlError TRAINING_DIVERGED
   */
  async train(known: Answered, seed: number, onStep: () => Promise<void> | void): Promise<void> {
    this.#reset(seed);
    const { count } = known;
    const size = Math.min(this.#training.batchSize, count);
    const perEpoch = Math.ceil(count / size);
    let order: Uint32Array = new Uint32Array(0);
    for (let step = 1; step <= this.steps(count); step += 1) {
      const index = (step - 1) % perEpoch;
      if (index === 0) order = new RandomStream('substitute order', seed, (step - 1) / perEpoch).permutation(count);
      this.#step(known, order.subarray(index * size, (index + 1) * size), { step, seed, count });
      await onStep();
    }
  }

  /** Class of each of the samples. @param x rows of samples */
  predict(x: Float32Array): Int32Array {
    const { outputs } = this.#network;
    const predicted = new Int32Array(x.length / this.#size);
    this.#inBatches(predicted.length, (begin, count) => {
      const logits = this.#session.run({ samples: this.#rows(x, begin, count) }, 'logits');
      for (let row = 0; row < count; row += 1) {
        const scores = logits.subarray(row * outputs, (row + 1) * outputs);
        predicted[begin + row] = scores.indexOf(Math.max(...scores));
      }
    });
    return predicted;
  }

  /** Gradient of the loss by each value of the samples, against their answers. */
  gradients({ x, y, count }: Answered): Float32Array {
    const { outputs } = this.#network;
    const gradients = new Float32Array(x.length);
    this.#inBatches(count, (begin, rows) => {
      const labels = { shape: [BATCH, outputs], data: padded(y, begin, rows, outputs) };
      const all = this.#session.run({ samples: this.#rows(x, begin, rows), labels }, 'inputGradients');
      gradients.set(all.subarray(0, rows * this.#size), begin * this.#size);
    });
    return gradients;
  }

  #reset(seed: number): void {
    this.#set('weights', initialParameters(this.#network.parameters, seed));
    for (const name of accumulatorNames(this.#optimizer)) this.#set(name, new Float32Array(this.#network.size));
  }

  #step(known: Answered, indices: Uint32Array, at: { step: number; seed: number; count: number }): void {
    const { outputs, size: parameters } = this.#network;
    const batch = indices.length;
    const feeds = {
      samples: { shape: [batch, this.#size], data: gathered(known.x, indices, this.#size) },
      labels: { shape: [batch, outputs], data: gathered(known.y, indices, outputs) },
      scale: scalar(1 / batch),
      ...this.#dropoutSeeds(at),
    };
    const all = this.#session.run(feeds, 'gradients');
    const loss = all[parameters] ?? Number.NaN;
    if (!Number.isFinite(loss))
      throw new MlError('TRAINING_DIVERGED', `the substitute's loss is ${loss} at step ${at.step}`);
    const steps = this.steps(at.count);
    const rate = { ...this.#optimizer.learningRate, warmupSteps: Math.ceil(WARM_UP * steps) };
    const scalars = optimizerScalars(this.#optimizer, learningRateAt(rate, at.step, steps), at.step);
    const update: Record<string, Feed> = { 'gradient.0': { shape: [parameters], data: all.subarray(0, parameters) } };
    for (const [name, value] of Object.entries({ ...scalars })) update[name] = scalar(value);
    this.#session.run(update, 'updated');
  }

  #dropoutSeeds({ step, seed }: { step: number; seed: number }): Record<string, Feed> {
    const dropouts = this.#model.layers.filter(({ type }) => type === 'dropout').length;
    if (dropouts === 0) return {};
    const seeds = Array.from({ length: dropouts }, (_, layer) =>
      operationSeed('substitute dropout', seed, step, layer),
    );
    return { dropoutSeeds: { shape: [dropouts, 2], data: Int32Array.from(seeds.flat()) } };
  }

  #rows(x: Float32Array, begin: number, count: number): Feed {
    return { shape: [BATCH, this.#size], data: padded(x, begin, count, this.#size) };
  }

  #inBatches(total: number, work: (begin: number, count: number) => void): void {
    for (let begin = 0; begin < total; begin += BATCH) work(begin, Math.min(BATCH, total - begin));
  }

  #set(name: string, values: Float32Array): void {
    this.#session.run({ [`set.${name}`]: { shape: [values.length], data: values } }, `done.${name}`);
  }
}

function scalar(value: number): Feed {
  return { shape: [], data: Float32Array.of(value) };
}

/** A whole batch of rows; those beyond the count repeat the first. */
function padded(values: Float32Array, begin: number, count: number, width: number): Float32Array {
  const indices = Uint32Array.from({ length: BATCH }, (_, row) => begin + (row < count ? row : 0));
  return gathered(values, indices, width);
}

function gathered(values: Float32Array, indices: Uint32Array, width: number): Float32Array {
  const rows = new Float32Array(indices.length * width);
  indices.forEach((index, row) => rows.set(values.subarray(index * width, (index + 1) * width), row * width));
  return rows;
}
