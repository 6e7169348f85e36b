import { ModelConfig, TrainingConfig } from '../../contracts/model-config.ts';

/** A network that both sides train: the same layers, batch size, optimiser and number of steps. */
export interface BenchNetwork {
  readonly name: 'cnn' | 'mlp';
  readonly title: string;
  readonly model: ModelConfig;
  /** Steps in one measurement: a few seconds. */
  readonly steps: number;
  /** PyTorch's memory layouts that can matter. */
  readonly layouts: readonly boolean[];
}

export const BATCH_SIZE = 128;
export const LEARNING_RATE = 0.001;

export const NETWORKS: readonly BenchNetwork[] = [
  {
    name: 'cnn',
    title: 'CNN, 16 and 32 filters 5×5',
    steps: 400,
    layouts: [false, true],
    model: ModelConfig.parse({
      name: 'cnn',
      layers: [
        { type: 'conv2d', filters: 16, kernelSize: 5, activation: 'relu' },
        { type: 'maxPooling2d' },
        { type: 'conv2d', filters: 32, kernelSize: 5, activation: 'relu' },
        { type: 'maxPooling2d' },
        { type: 'flatten' },
        { type: 'dense', units: 10 },
      ],
    }),
  },
  {
    name: 'mlp',
    title: 'MLP, 784-128-10',
    steps: 2500,
    layouts: [false],
    model: ModelConfig.parse({
      name: 'mlp',
      layers: [{ type: 'flatten' }, { type: 'dense', units: 128, activation: 'relu' }, { type: 'dense', units: 10 }],
    }),
  },
];

/** `steps` optimiser steps on `count` samples, without a checkpoint before the last one. */
export function benchTraining(epochs: number): TrainingConfig {
  return TrainingConfig.parse({
    epochs,
    batchSize: BATCH_SIZE,
    optimizer: { type: 'adam', learningRate: { initial: LEARNING_RATE } },
    checkpointSteps: 100_000,
  });
}
