import { createRequire } from 'node:module';
import type * as tensorflow from '@tensorflow/tfjs';
import type { Layer, ModelConfig } from '../../../contracts/model-config.ts';
import type { PreparedManifest } from '../../../contracts/prepared-data.ts';
import { serveChild } from '../../../lib/heavy/index.ts';
import { networkGraph } from '../../../lib/ml/graph/network.ts';
import { loadTensorFlow } from '../../../lib/ml/native/addon.ts';
import type { Feed } from '../../../lib/ml/native/session.ts';
import { GraphSession } from '../../../lib/ml/native/session.ts';
import { initialParameters, unflatten } from '../../../lib/ml/parameters.ts';
import type { Tensor } from '../../../lib/ml/index.ts';
import { RandomStream } from '../../../lib/ml/random.ts';
import { networkOf } from '../../../lib/ml/training/job.ts';

type TensorFlow = typeof tensorflow;

export interface GradientInput {
  readonly model: ModelConfig;
  readonly manifest: PreparedManifest;
  readonly labelSmoothing: number;
  readonly batch: number;
}

export interface GradientOutput {
  readonly graph: Float32Array;
  /** The same by the graph that takes distributions, which are the smoothed classes here. */
  readonly soft: Float32Array;
  /** What automatic differentiation of TensorFlow.js finds: gradients in order, then the loss. */
  readonly reference: Float32Array;
  /** By the raw samples, one a sample, without label smoothing: by the graph and by automatic differentiation. */
  readonly inputs: { readonly graph: Float32Array; readonly reference: Float32Array };
  /** Losses and predicted classes that come with them. */
  readonly said: { readonly losses: readonly number[]; readonly predicted: readonly number[] };
  readonly expected: { readonly losses: readonly number[]; readonly predicted: readonly number[] };
}

/** Computes one gradient by the platform's graph and by TensorFlow.js's own differentiation. */
serveChild(({ model, manifest, labelSmoothing, batch }: GradientInput): GradientOutput => {
  const { binding } = loadTensorFlow();
  const tf = createRequire(import.meta.url)('@tensorflow/tfjs-node-gpu') as TensorFlow;
  const network = networkOf(model, manifest);
  const weights = initialParameters(network.parameters, 11);
  const stream = new RandomStream('test', 1);
  const size = manifest.input.shape.reduce((product, length) => product * length, 1);
  const x = Uint8Array.from({ length: batch * size }, () => stream.below(256));
  const y = Int32Array.from({ length: batch }, () => stream.below(network.outputs));

  const optimizer = {
    type: 'sgd',
    learningRate: { initial: 1, schedule: 'constant', warmupSteps: 0 },
    momentum: 0,
  } as const;
  const description = { config: { optimizer, weightDecay: 0, labelSmoothing }, replicas: 1 };
  const gradientsOf = (labels: Feed, soft: boolean): Float32Array => {
    const plain = { config: { ...description.config, ...(soft && { labelSmoothing: 0 }) }, replicas: 1 };
    const session = new GraphSession(binding, networkGraph({ ...network, ...manifest }, plain, { soft }));
    session.run({ 'set.weights': { shape: [weights.length], data: weights } }, 'done.weights');
    const samples = { shape: [batch, size], data: x };
    return session.run({ samples, labels, scale: { shape: [], data: Float32Array.of(1 / batch) } }, 'gradients');
  };
  const graph = gradientsOf({ shape: [batch], data: y }, false);
  const off = labelSmoothing / network.outputs;
  const distributions = Float32Array.from({ length: batch * network.outputs }, (_, at) =>
    at % network.outputs === y[Math.floor(at / network.outputs)] ? 1 - labelSmoothing + off : off,
  );
  const soft = gradientsOf({ shape: [batch, network.outputs], data: distributions }, true);

  const [scale = 1] = manifest.preprocessing.scale;
  const [offset = 0] = manifest.preprocessing.offset;
  const input = tf
    .tensor([...x], [batch, ...manifest.input.shape])
    .mul(scale)
    .add(offset);
  const named = unflatten(network.parameters, weights);
  const variables = [...named].map(([name, { shape, data }]: [string, Tensor]) =>
    tf.variable(tf.tensor(data, [...shape]), true, name),
  );
  const targets = tf.oneHot(tf.tensor1d(y, 'int32'), network.outputs).toFloat();
  const { value, grads } = tf.variableGrads(() => {
    const logits = forward(tf, model.layers, input, new Map(variables.map((variable) => [variable.name, variable])));
    return tf.losses.softmaxCrossEntropy<tensorflow.Tensor, tensorflow.Scalar>(
      targets,
      logits,
      undefined,
      labelSmoothing,
    );
  }, variables);
  const reference = variables.flatMap(({ name }) => [...(grads[name]?.dataSync() ?? [])]);
  const input32 = { ...manifest.input, dtype: 'float32' as const };
  const attacked = new GraphSession(
    binding,
    networkGraph({ ...network, ...manifest, input: input32 }, undefined, { inputGradients: true }),
  );
  attacked.run({ 'set.weights': { shape: [weights.length], data: weights } }, 'done.weights');
  const raw = Float32Array.from(x);
  const feeds = { samples: { shape: [batch, size], data: raw }, labels: { shape: [batch], data: y } };
  const byInput = attacked.run(feeds, 'inputGradients');
  const kept = new Map(variables.map((variable) => [variable.name, variable]));
  const logitsOf = (samples: tensorflow.Tensor): tensorflow.Tensor =>
    forward(
      tf,
      model.layers,
      samples
        .reshape([batch, ...manifest.input.shape])
        .mul(scale)
        .add(offset),
      kept,
    );
  const losses = (samples: tensorflow.Tensor): tensorflow.Tensor =>
    tf.neg(tf.sum(tf.mul(targets, tf.logSoftmax(logitsOf(samples))), 1));
  const rawTensor = tf.tensor(raw, [batch, size]);
  const inputGradient = tf.grad((samples) => losses(samples).sum())(rawTensor);
  return {
    graph: graph.subarray(0, network.size + 1),
    soft: soft.subarray(0, network.size + 1),
    reference: Float32Array.from([...reference, value.dataSync()[0] ?? Number.NaN]),
    inputs: {
      graph: byInput.slice(0, batch * size),
      reference: Float32Array.from(inputGradient.dataSync()),
    },
    said: {
      losses: [...byInput.subarray(batch * size, batch * size + batch)],
      predicted: [...byInput.subarray(batch * size + batch)],
    },
    expected: {
      losses: [...losses(rawTensor).dataSync()],
      predicted: [...logitsOf(rawTensor).argMax(1).dataSync()],
    },
  };
});

function forward(
  tf: TensorFlow,
  layers: readonly Layer[],
  input: tensorflow.Tensor,
  variables: ReadonlyMap<string, tensorflow.Tensor>,
): tensorflow.Tensor {
  return layers.reduce((value, layer, index) => {
    const kernel = variables.get(`layers.${index}.kernel`) as tensorflow.Tensor4D;
    const bias = variables.get(`layers.${index}.bias`) as tensorflow.Tensor;
    switch (layer.type) {
      case 'dense':
        return activate(tf, layer.activation, tf.matMul(value, kernel as tensorflow.Tensor).add(bias));
      case 'conv2d':
        return activate(
          tf,
          layer.activation,
          tf.conv2d(value as tensorflow.Tensor4D, kernel, layer.strides, layer.padding).add(bias),
        );
      case 'maxPooling2d':
        return tf.maxPool(value as tensorflow.Tensor4D, layer.poolSize, layer.strides ?? layer.poolSize, 'valid');
      case 'flatten':
        return value.reshape([value.shape[0] ?? 0, -1]);
      case 'dropout':
        return value;
    }
  }, input);
}

function activate(tf: TensorFlow, activation: string, value: tensorflow.Tensor): tensorflow.Tensor {
  switch (activation) {
    case 'relu':
      return tf.relu(value);
    case 'tanh':
      return tf.tanh(value);
    case 'sigmoid':
      return tf.sigmoid(value);
    default:
      return value;
  }
}
