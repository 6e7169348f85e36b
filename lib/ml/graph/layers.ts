import type { Layer } from '../../../contracts/model-config.ts';
import type { ShapedLayer } from '../shapes.ts';
import { attribute, DataType } from './attributes.ts';
import type { Attribute } from './attributes.ts';
import type { GraphBuilder, Output } from './builder.ts';

/** Gradients of one layer; `input` is absent where nothing before the layer is trained. */
export interface LayerGradients {
  readonly input: Output | undefined;
  readonly kernel?: Output;
  readonly bias?: Output;
}

/** A layer in the graph: batch first, images [batch, height, width, channels]. */
export interface BuiltLayer {
  readonly output: Output;
  backward(gradient: Output, toInput: boolean): LayerGradients;
}

/** What a layer takes from the network around it. */
export interface LayerContext {
  readonly graph: GraphBuilder;
  readonly input: Output;
  readonly kernel: Output;
  readonly bias: Output;
  /** Two int32 that seed the dropout mask; absent outside training, where dropout does nothing. */
  readonly dropoutSeed: Output | undefined;
}

const NHWC = { data_format: attribute.string('NHWC') };

/** Adds the operations of one layer; the backward pass is added when `backward` is called. */
export function buildLayer(shaped: ShapedLayer, context: LayerContext): BuiltLayer {
  const { layer } = shaped;
  switch (layer.type) {
    case 'dense':
      return dense(layer.activation, context);
    case 'conv2d':
      return convolution(layer, shaped, context);
    case 'maxPooling2d':
      return maxPooling(layer, context);
    case 'flatten':
      return flatten(shaped, context);
    case 'dropout':
      return dropout(layer.rate, context);
  }
}

function dense(activation: Activation, { graph, input, kernel, bias }: LayerContext): BuiltLayer {
  const output = activate(graph, activation, addBias(graph, graph.matMul(input, kernel), bias));
  return {
    output,
    backward: (gradient, toInput) => {
      const inner = deactivate(graph, activation, output, gradient);
      return {
        input: toInput ? graph.matMul(inner, kernel, { b: true }) : undefined,
        kernel: graph.matMul(input, inner, { a: true }),
        bias: graph.float('BiasAddGrad', [inner], NHWC),
      };
    },
  };
}

function convolution(
  layer: Extract<Layer, { type: 'conv2d' }>,
  { input: inputShape }: ShapedLayer,
  { graph, input, kernel, bias }: LayerContext,
): BuiltLayer {
  const attributes: Record<string, Attribute> = {
    ...NHWC,
    strides: attribute.integers([1, layer.strides, layer.strides, 1]),
    padding: attribute.string(layer.padding.toUpperCase()),
  };
  const kernelShape = [layer.kernelSize, layer.kernelSize, inputShape.at(-1) as number, layer.filters];
  const output = activate(
    graph,
    layer.activation,
    addBias(graph, graph.float('Conv2D', [input, kernel], attributes), bias),
  );
  return {
    output,
    backward: (gradient, toInput) => {
      const inner = deactivate(graph, layer.activation, output, gradient);
      const toInputs = [graph.shapeOf(input), kernel, inner];
      const toKernel = [input, graph.integers(kernelShape), inner];
      return {
        input: toInput ? graph.float('Conv2DBackpropInput', toInputs, attributes) : undefined,
        kernel: graph.float('Conv2DBackpropFilter', toKernel, attributes),
        bias: graph.float('BiasAddGrad', [inner], NHWC),
      };
    },
  };
}

function maxPooling(
  { poolSize, strides = poolSize }: Extract<Layer, { type: 'maxPooling2d' }>,
  { graph, input }: LayerContext,
): BuiltLayer {
  const attributes = {
    ...NHWC,
    ksize: attribute.integers([1, poolSize, poolSize, 1]),
    strides: attribute.integers([1, strides, strides, 1]),
    padding: attribute.string('VALID'),
  };
  const output = graph.float('MaxPool', [input], attributes);
  return {
    output,
    backward: (gradient, toInput) => ({
      input: toInput ? graph.float('MaxPoolGrad', [input, output, gradient], attributes) : undefined,
    }),
  };
}

function flatten(shaped: ShapedLayer, { graph, input }: LayerContext): BuiltLayer {
  return {
    output: graph.reshape(input, [-1, ...shaped.output]),
    backward: (gradient) => ({ input: graph.reshape(gradient, [-1, ...shaped.input]) }),
  };
}

/** Inverted dropout: what is kept is scaled up in training, so that inference needs no scaling. */
function dropout(rate: number, { graph, input, dropoutSeed }: LayerContext): BuiltLayer {
  if (dropoutSeed === undefined) return { output: input, backward: (gradient) => ({ input: gradient }) };
  const uniform = graph.add('StatelessRandomUniform', [graph.shapeOf(input), dropoutSeed], {
    dtype: attribute.type(DataType.float32),
    T: attribute.type(DataType.int32),
    Tseed: attribute.type(DataType.int32),
  });
  const kept = graph.add('Cast', [graph.float('GreaterEqual', [uniform, graph.scalar(rate)])], {
    SrcT: attribute.type(DataType.bool),
    DstT: attribute.type(DataType.float32),
  });
  const mask = graph.float('Mul', [kept, graph.scalar(1 / (1 - rate))]);
  return {
    output: graph.float('Mul', [input, mask]),
    backward: (gradient) => ({ input: graph.float('Mul', [gradient, mask]) }),
  };
}

type Activation = Extract<Layer, { type: 'dense' }>['activation'];

const ACTIVATIONS = {
  relu: (graph, input) => graph.float('Relu', [input]),
  tanh: (graph, input) => graph.float('Tanh', [input]),
  sigmoid: (graph, input) => graph.float('Sigmoid', [input]),
  linear: (_graph, input) => input,
} satisfies Record<Activation, (graph: GraphBuilder, input: Output) => Output>;

/** TensorFlow's gradient operations take the activation's output; their argument orders differ. */
const ACTIVATION_GRADIENTS = {
  relu: (graph, output, gradient) => graph.float('ReluGrad', [gradient, output]),
  tanh: (graph, output, gradient) => graph.float('TanhGrad', [output, gradient]),
  sigmoid: (graph, output, gradient) => graph.float('SigmoidGrad', [output, gradient]),
  linear: (_graph, _output, gradient) => gradient,
} satisfies Record<Activation, (graph: GraphBuilder, output: Output, gradient: Output) => Output>;

function activate(graph: GraphBuilder, activation: Activation, input: Output): Output {
  return ACTIVATIONS[activation](graph, input);
}

function deactivate(graph: GraphBuilder, activation: Activation, output: Output, gradient: Output): Output {
  return ACTIVATION_GRADIENTS[activation](graph, output, gradient);
}

function addBias(graph: GraphBuilder, input: Output, bias: Output): Output {
  return graph.float('BiasAdd', [input, bias], NHWC);
}
