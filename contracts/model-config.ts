import { z } from 'zod';
import { AdversarialTraining } from './adversary.ts';
import { Name } from './reference.ts';

const units = z.int().min(1).max(8192);
const kernel = z.int().min(1).max(15);
const activation = z.enum(['linear', 'relu', 'tanh', 'sigmoid']);

/** The allow-list: a layer that is not here cannot be trained, exported or served. */
export const Layer = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('dense'), units, activation: activation.default('linear') }),
  z.strictObject({
    type: z.literal('conv2d'),
    filters: units.max(1024),
    kernelSize: kernel,
    strides: z.int().min(1).max(4).default(1),
    padding: z.enum(['same', 'valid']).default('valid'),
    activation: activation.default('linear'),
  }),
  z.strictObject({
    type: z.literal('maxPooling2d'),
    poolSize: z.int().min(2).max(8).default(2),
    strides: z.int().min(1).max(8).optional(),
  }),
  z.strictObject({ type: z.literal('flatten') }),
  z.strictObject({ type: z.literal('dropout'), rate: z.number().gt(0).lt(1) }),
]);
export type Layer = z.infer<typeof Layer>;

/**
 * A network as data. The last layer must be `dense` and linear. For `multiclass` it has as many units as there are
 * classes (two are classes too): the platform trains on logits (softmax cross-entropy) and adds the softmax when it
 * exports. For `regression` it has one unit, trained by mean squared error on the standardised target.
 */
export const ModelConfig = z.strictObject({
  name: Name,
  description: z.string().max(500).optional(),
  task: z.enum(['multiclass', 'regression']).default('multiclass'),
  layers: z.array(Layer).min(1).max(64),
});
export type ModelConfig = z.infer<typeof ModelConfig>;

export const LearningRate = z.strictObject({
  initial: z.number().gt(0).max(10),
  schedule: z.enum(['constant', 'cosine', 'linear']).default('constant'),
  /** Steps of linear warm-up from 0 to `initial`. */
  warmupSteps: z.int().min(0).max(100_000).default(0),
});

export const Optimizer = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('adam'),
    learningRate: LearningRate,
    beta1: z.number().min(0).lt(1).default(0.9),
    beta2: z.number().min(0).lt(1).default(0.999),
    epsilon: z.number().gt(0).max(1).default(1e-7),
  }),
  z.strictObject({
    type: z.literal('sgd'),
    learningRate: LearningRate,
    momentum: z.number().min(0).lt(1).default(0),
  }),
]);

/** How a network is trained. Everything that changes the resulting weights is in here or in the data. */
export const TrainingConfig = z.strictObject({
  epochs: z.int().min(1).max(1000),
  /** Samples in one optimiser step, over all replicas and micro-batches. */
  batchSize: z.int().min(1).max(65_536),
  optimizer: Optimizer,
  /** L2 penalty on kernels (not biases). */
  weightDecay: z.number().min(0).max(1).default(0),
  labelSmoothing: z.number().min(0).lt(1).default(0),
  /** Share of the training set held out for validation. */
  validationShare: z.number().gt(0).lt(0.5).default(0.1),
  /** Steps between two durable checkpoints. */
  checkpointSteps: z.int().min(1).max(100_000).default(100),
  /** Absent: an ordinary training, whose digest does not change by there being this field. */
  adversarial: AdversarialTraining.optional(),
});
export type TrainingConfig = z.infer<typeof TrainingConfig>;

/** What a request may change of a preset's training. Fields have no defaults here: an absent one keeps the preset's. */
export const TrainingOverrides = z.strictObject({
  epochs: TrainingConfig.shape.epochs.optional(),
  batchSize: TrainingConfig.shape.batchSize.optional(),
  optimizer: TrainingConfig.shape.optimizer.optional(),
  weightDecay: TrainingConfig.shape.weightDecay.unwrap().optional(),
  labelSmoothing: TrainingConfig.shape.labelSmoothing.unwrap().optional(),
  validationShare: TrainingConfig.shape.validationShare.unwrap().optional(),
  checkpointSteps: TrainingConfig.shape.checkpointSteps.unwrap().optional(),
  adversarial: TrainingConfig.shape.adversarial,
});
export type TrainingOverrides = z.infer<typeof TrainingOverrides>;

/** A preset in `lib/ml/presets/*.json`: a network with the training that is known to work for it. */
export const Preset = z.strictObject({
  dataset: Name,
  model: ModelConfig,
  training: TrainingConfig,
  /** Thresholds its evaluation must reach to be registered. */
  gates: z.strictObject({
    minAccuracy: z.number().min(0).max(1).optional(),
    minMacroF1: z.number().min(0).max(1).optional(),
    maxLogLoss: z.number().gt(0).optional(),
    maxEce: z.number().gt(0).max(1).optional(),
    /** Of a regression, in the unit of the target. */
    maxRmse: z.number().gt(0).optional(),
    minR2: z.number().max(1).optional(),
  }),
});
export type Preset = z.infer<typeof Preset>;
