import type { ModelConfig, TrainingConfig } from '../../../contracts/model-config.ts';
import type { PreparedManifest } from '../../../contracts/prepared-data.ts';
import { parameterCount } from '../parameters.ts';
import type { Parameter } from '../parameters.ts';
import type { ShapedLayer } from '../shapes.ts';
import { attribute, DataType } from './attributes.ts';
import { GraphBuilder } from './builder.ts';
import type { Output } from './builder.ts';
import { buildLayer } from './layers.ts';
import type { BuiltLayer } from './layers.ts';
import { INT_TO_FLOAT, lossOf, predictions, rightPredictions } from './loss.ts';
import { accumulatorNames, applyOptimizer } from './optimizer.ts';

export interface NetworkDescription {
  readonly layers: readonly ShapedLayer[];
  readonly parameters: readonly Parameter[];
  readonly input: PreparedManifest['input'];
  readonly preprocessing: PreparedManifest['preprocessing'];
  /** Linear units of the last layer. */
  readonly outputs: number;
  readonly task: ModelConfig['task'];
}

/** What trains a network; `replicas` is how many gradients one update takes. */
export interface TrainingDescription {
  readonly config: Pick<TrainingConfig, 'optimizer' | 'weightDecay' | 'labelSmoothing' | 'adversarial'>;
  readonly replicas: number;
}

export interface GraphOptions {
  /** Adds the fetch `inputGradients`. Samples must be float32 then, or there is nothing to differentiate by. */
  readonly inputGradients?: boolean;
  /** Labels are distributions over the classes. */
  readonly soft?: boolean;
}

/** Numbers that follow the gradient in the fetch `gradients`: the loss, and how many predictions were right. */
export const GRADIENT_EXTRAS = 2;

/**
 * The whole network as one TensorFlow graph, all its parameters in one flat vector.
 *
 * | run | feeds | fetch |
 * |---|---|---|
 * | set or get a vector | `set.<vector>` | `done.<vector>`, `get.<vector>` |
 * | inference | `samples` | `logits` [batch, outputs] |
 * | evaluation | `samples`, `labels` | `evaluation` [summed loss, right predictions] |
 * | gradient | `samples`, `labels`, `scale`, `dropoutSeeds` | `gradients` [parameters…, scaled loss, right predictions] |
 * | input gradient, without dropout | `samples`, `labels` | `inputGradients` [∂loss/∂sample of each sample…, losses…, predicted classes…] |
 * | update | `gradient.<replica>`…, `learningRate`, `beta1Power`, `beta2Power` | `updated` |
 *
 * Labels are class indices (int32) or, where asked for, distributions over the classes (float32, [batch, outputs]); of a
 * regression they are standardised targets (float32), where no prediction is ever right.
 * `scale` is 1 / (samples of the whole batch), so that parts of a batch add up. One graph instead of single operations:
 * a step costs two calls into native code, and TensorFlow fuses operations and reuses buffers.
 */
export function networkGraph(
  described: NetworkDescription,
  training?: TrainingDescription,
  { inputGradients = false, soft = false }: GraphOptions = {},
): Buffer {
  const network = { ...described, soft };
  const graph = new GraphBuilder();
  const vector = [parameterCount(network.parameters)];
  const weights = settable(graph, 'weights', vector);
  const read = graph.read(weights);
  const dtype = network.input.dtype === 'uint8' ? DataType.uint8 : DataType.float32;
  const size = network.input.shape.reduce((product, length) => product * length, 1);
  const samples = preprocess(graph, network, graph.placeholder('samples', [-1, size], dtype));
  const labels = soft
    ? graph.placeholder('labels', [-1, network.outputs])
    : graph.placeholder('labels', [-1], network.task === 'regression' ? DataType.float32 : DataType.int32);

  const inference = forward(graph, network, read, samples);
  const logits = graph.identity('logits', inference.output);
  const plain = lossOf(graph, network, { output: logits, labels, smoothing: 0 });
  graph.identity(
    'evaluation',
    stack(graph, [graph.sum(plain.losses, [0]), rightPredictions(graph, network, logits, labels)]),
  );
  if (inputGradients) {
    const predicted = graph.add('Cast', [predictions(graph, logits)], INT_TO_FLOAT);
    const toSamples = unprocess(graph, network, inference.toInput(plain.gradient));
    graph.identity('inputGradients', graph.concat([toSamples, plain.losses, predicted]));
  }
  if (training === undefined) return graph.savedModel();

  const { config, replicas } = training;
  const scale = graph.placeholder('scale', []);
  const seeds = drops(config) ? graph.placeholder('dropoutSeeds', [-1, 2], DataType.int32) : undefined;
  const run = forward(graph, network, read, samples, seeds);
  const smoothed = lossOf(graph, network, { output: run.output, labels, smoothing: config.labelSmoothing });
  const loss = graph.float('Mul', [graph.sum(smoothed.losses, [0]), scale]);
  const gradients = run.backward(graph.float('Mul', [smoothed.gradient, scale]));
  const extras = stack(graph, [loss, rightPredictions(graph, network, run.output, labels)]);
  graph.identity('gradients', graph.concat([...gradients, extras]));

  const accumulators = accumulatorNames(config.optimizer).map((name) => settable(graph, name, vector));
  const averaged = Array.from({ length: replicas }, (_, rank) => graph.placeholder(`gradient.${rank}`, vector));
  const decay = weightDecay(graph, network.parameters, read, config.weightDecay);
  const total = [...averaged, ...decay].reduce((sum, term) => graph.float('AddV2', [sum, term]));
  const applied = applyOptimizer(graph, config.optimizer, weights, accumulators, total);
  graph.identity('updated', graph.scalar(1), [applied]);
  return graph.savedModel();
}

/** Whether dropout layers act while this is trained; where they do not, there is no feed `dropoutSeeds`. */
export function drops({ adversarial }: Pick<TrainingConfig, 'adversarial'>): boolean {
  return adversarial?.dropout ?? true;
}

/** A variable with endpoints to write it from outside and to read it. */
function settable(graph: GraphBuilder, name: string, shape: readonly number[]): Output {
  const variable = graph.variable(name, shape);
  const assigned = graph.assign(variable, graph.placeholder(`set.${name}`, shape));
  graph.identity(`done.${name}`, graph.scalar(1), [assigned]);
  graph.identity(`get.${name}`, graph.read(variable));
  return variable;
}

function preprocess(graph: GraphBuilder, { input, preprocessing }: NetworkDescription, raw: Output): Output {
  const cast = { SrcT: attribute.type(DataType.uint8), DstT: attribute.type(DataType.float32) };
  const floats = input.dtype === 'uint8' ? graph.add('Cast', [raw], cast) : raw;
  const { scale, offset } = preprocessing;
  const scaled = graph.float('Mul', [graph.reshape(floats, [-1, ...input.shape]), graph.floats([scale.length], scale)]);
  return graph.float('AddV2', [scaled, graph.floats([offset.length], offset)]);
}

/** The chain rule through `preprocess`: a flat gradient by the raw samples. */
function unprocess(graph: GraphBuilder, { preprocessing: { scale } }: NetworkDescription, gradient: Output): Output {
  return graph.reshape(graph.float('Mul', [gradient, graph.floats([scale.length], scale)]), [-1]);
}

interface ForwardPass {
  readonly output: Output;
  /** Adds the backward pass to the preprocessed samples; returns their gradient. */
  toInput(gradient: Output): Output;
  /** Adds the backward pass; returns one flat gradient for each parameter, in order. */
  backward(gradient: Output): Output[];
}

function forward(
  graph: GraphBuilder,
  { layers, parameters }: NetworkDescription,
  weights: Output,
  samples: Output,
  dropoutSeeds?: Output,
): ForwardPass {
  const tensors = new Map(
    parameters.map(({ name, shape, offset, size }) => [name, graph.reshape(graph.slice(weights, offset, size), shape)]),
  );
  let dropouts = 0;
  let output = samples;
  const built = layers.map((shaped): BuiltLayer => {
    const seeded = shaped.layer.type === 'dropout' && dropoutSeeds !== undefined;
    const layer = buildLayer(shaped, {
      graph,
      input: output,
      kernel: tensors.get(`layers.${shaped.index}.kernel`) ?? '',
      bias: tensors.get(`layers.${shaped.index}.bias`) ?? '',
      dropoutSeed: seeded ? row(graph, dropoutSeeds, dropouts++) : undefined,
    });
    output = layer.output;
    return layer;
  });
  const firstTrained = layers.findIndex(({ layer }) => layer.type === 'dense' || layer.type === 'conv2d');
  return {
    output,
    toInput: (gradient) =>
      // Every layer gives the gradient of its input when it is asked to.
      built.reduceRight((flowing, layer) => layer.backward(flowing, true).input as Output, gradient),
    backward: (gradient) => {
      const flat: Output[] = [];
      let flowing: Output | undefined = gradient;
      for (let index = built.length - 1; index >= firstTrained && flowing !== undefined; index -= 1) {
        const gradients = (built[index] as BuiltLayer).backward(flowing, index > firstTrained);
        if (gradients.bias !== undefined) flat.unshift(gradients.bias);
        if (gradients.kernel !== undefined) flat.unshift(graph.reshape(gradients.kernel, [-1]));
        flowing = gradients.input;
      }
      return flat;
    },
  };
}

/** The gradient of the L2 penalty: decay · w for kernels, nothing for biases. */
function weightDecay(graph: GraphBuilder, parameters: readonly Parameter[], weights: Output, decay: number): Output[] {
  if (decay === 0) return [];
  const parts = parameters.map(({ kind, offset, size }) =>
    graph.float('Mul', [graph.slice(weights, offset, size), graph.scalar(kind === 'kernel' ? decay : 0)]),
  );
  return [graph.concat(parts)];
}

/** Scalars as a vector. */
function stack(graph: GraphBuilder, scalars: readonly Output[]): Output {
  return graph.concat(scalars.map((scalar) => graph.reshape(scalar, [1])));
}

/** Row `index` of an int32 matrix. */
function row(graph: GraphBuilder, matrix: Output, index: number): Output {
  const int32 = attribute.type(DataType.int32);
  const types = { Tparams: int32, Tindices: int32, Taxis: int32 };
  return graph.add('GatherV2', [matrix, graph.integer(index), graph.integer(0)], types);
}
