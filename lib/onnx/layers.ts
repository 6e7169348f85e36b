import type { Layer } from '../../contracts/model-config.ts';
import type { Tensor } from '../ml/index.ts';
import { OnnxError } from './errors.ts';
import type { GraphBuilder, ValueName } from './graph.ts';
import { outputChannelsFirst } from './layouts.ts';

/**
 * A value on its way through the graph. `shape` is of one sample and always in the trained model's order (height,
 * width, channels); `layout` tells in which order the value itself lies.
 */
export interface Flow {
  readonly value: ValueName;
  readonly shape: readonly number[];
  readonly layout: 'channels-last' | 'channels-first';
}

export interface LayerContext {
  readonly graph: GraphBuilder;
  /** Path of the layer for error messages: `layers[2]`. */
  readonly path: string;
  /** The layer's `kernel` or `bias`, checked against `shape`. */
  readonly weight: (name: 'kernel' | 'bias', shape: readonly number[]) => Tensor;
  /** Name of a constant of this layer. */
  readonly constantName: (name: string) => string;
}

type LayerOf<T extends Layer['type']> = Extract<Layer, { type: T }>;

const ACTIVATIONS = { relu: 'Relu', tanh: 'Tanh', sigmoid: 'Sigmoid' } as const;

/** Appends one layer to the graph. @throws OnnxError `EXPORT_UNSUPPORTED`, `WEIGHTS_INVALID` */
export function exportLayer(layer: Layer, flow: Flow, context: LayerContext): Flow {
  switch (layer.type) {
    case 'dense':
      return dense(layer, flow, context);
    case 'conv2d':
      return conv2d(layer, flow, context);
    case 'maxPooling2d':
      return maxPooling2d(layer, flow, context);
    case 'flatten':
      return flatten(flow, context);
    case 'dropout':
      // Dropout is the identity in inference.
      return flow;
    default:
      return unsupported(layer, context);
  }
}

/** Reached only by configurations that were not parsed by the schema. */
function unsupported(layer: never, { path }: LayerContext): never {
  const { type } = layer as { type?: unknown };
  throw new OnnxError('EXPORT_UNSUPPORTED', `${path}: a layer of type ${String(type)} cannot be exported`, {
    field: path,
  });
}

function dense(layer: LayerOf<'dense'>, flow: Flow, context: LayerContext): Flow {
  const [width] = flow.shape;
  if (flow.shape.length !== 1 || width === undefined)
    throw wrongInput('dense', 'a vector; put a flatten layer before it', flow, context);
  const kernel = context.weight('kernel', [width, layer.units]);
  const bias = context.weight('bias', [layer.units]);
  const { graph, constantName } = context;
  const value = graph.node('Gemm', [
    flow.value,
    graph.constant(constantName('kernel'), kernel.shape, kernel.data),
    graph.constant(constantName('bias'), bias.shape, bias.data),
  ]);
  return { value: activate(value, layer.activation, graph), shape: [layer.units], layout: 'channels-last' };
}

function conv2d(layer: LayerOf<'conv2d'>, flow: Flow, context: LayerContext): Flow {
  const [height, width, channels] = image('conv2d', flow, context);
  const { filters, kernelSize, strides, padding } = layer;
  const kernel = context.weight('kernel', [kernelSize, kernelSize, channels, filters]);
  const bias = context.weight('bias', [filters]);
  const vertical = window(height, kernelSize, strides, padding);
  const horizontal = window(width, kernelSize, strides, padding);
  checkExtent([vertical.size, horizontal.size], flow, context);
  const { graph, constantName } = context;
  const weights = graph.constant(
    constantName('kernel'),
    [filters, channels, kernelSize, kernelSize],
    outputChannelsFirst(kernel.data, { area: kernelSize * kernelSize, inputs: channels, outputs: filters }),
  );
  const value = graph.node(
    'Conv',
    [channelsFirst(flow, graph), weights, graph.constant(constantName('bias'), bias.shape, bias.data)],
    {
      kernel_shape: [kernelSize, kernelSize],
      strides: [strides, strides],
      pads: [vertical.before, horizontal.before, vertical.after, horizontal.after],
    },
  );
  return {
    value: activate(value, layer.activation, graph),
    shape: [vertical.size, horizontal.size, filters],
    layout: 'channels-first',
  };
}

function maxPooling2d(layer: LayerOf<'maxPooling2d'>, flow: Flow, context: LayerContext): Flow {
  const [height, width, channels] = image('maxPooling2d', flow, context);
  const { poolSize, strides = poolSize } = layer;
  const vertical = window(height, poolSize, strides, 'valid');
  const horizontal = window(width, poolSize, strides, 'valid');
  checkExtent([vertical.size, horizontal.size], flow, context);
  const value = context.graph.node('MaxPool', [channelsFirst(flow, context.graph)], {
    kernel_shape: [poolSize, poolSize],
    strides: [strides, strides],
  });
  return { value, shape: [vertical.size, horizontal.size, channels], layout: 'channels-first' };
}

/** The trained model flattens (height, width, channels), so the value goes back to that order first. */
function flatten(flow: Flow, { graph }: LayerContext): Flow {
  const reordered = flow.layout === 'channels-first' && !isGreyImage(flow);
  const ordered = reordered ? graph.node('Transpose', [flow.value], { perm: [0, 2, 3, 1] }) : flow.value;
  const size = flow.shape.reduce((product, axis) => product * axis, 1);
  return { value: graph.node('Flatten', [ordered], { axis: 1 }), shape: [size], layout: 'channels-last' };
}

/** Of one channel: its numbers lie the same way in both layouts. */
export function isGreyImage({ shape }: Pick<Flow, 'shape'>): boolean {
  return shape.length === 3 && shape[2] === 1;
}

export function channelsFirst(flow: Flow, graph: GraphBuilder): ValueName {
  return flow.layout === 'channels-first' ? flow.value : graph.node('Transpose', [flow.value], { perm: [0, 3, 1, 2] });
}

function activate(value: ValueName, activation: LayerOf<'dense'>['activation'], graph: GraphBuilder): ValueName {
  return activation === 'linear' ? value : graph.node(ACTIVATIONS[activation], [value]);
}

interface Window {
  /** Output size along the axis, and zeros added at either end. */
  readonly size: number;
  readonly before: number;
  readonly after: number;
}

/** TensorFlow's padding: `same` keeps ceil(size / stride), and an odd zero goes to the end. */
function window(size: number, kernel: number, stride: number, padding: 'same' | 'valid'): Window {
  if (padding === 'valid') return { size: Math.floor((size - kernel) / stride) + 1, before: 0, after: 0 };
  const output = Math.ceil(size / stride);
  const total = Math.max(0, (output - 1) * stride + kernel - size);
  const before = Math.floor(total / 2);
  return { size: output, before, after: total - before };
}

function image(type: string, flow: Flow, context: LayerContext): [number, number, number] {
  const [height, width, channels] = flow.shape;
  if (flow.shape.length === 3 && height !== undefined && width !== undefined && channels !== undefined) {
    return [height, width, channels];
  }
  throw wrongInput(type, 'height, width and channels', flow, context);
}

function checkExtent(extent: readonly number[], flow: Flow, context: LayerContext): void {
  if (extent.every((size) => size >= 1)) return;
  throw wrongInput('this layer', 'an input no smaller than its window', flow, context);
}

function wrongInput(type: string, needs: string, { shape }: Flow, { path }: LayerContext): OnnxError {
  return new OnnxError('EXPORT_UNSUPPORTED', `${path}: ${type} needs ${needs}, and gets [${shape.join(', ')}]`, {
    field: path,
  });
}
