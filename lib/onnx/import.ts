import onnxProto from 'onnx-proto';
import type { onnx as Onnx } from 'onnx-proto';
import type { ModelConfig } from '../../contracts/model-config.ts';
import type { PreparedManifest } from '../../contracts/prepared-data.ts';
import { networkShapes, writeSafetensors } from '../ml/index.ts';
import type { Tensor } from '../ml/index.ts';
import { OnnxError } from './errors.ts';
import { outputChannelsLast } from './layouts.ts';

export interface ImportedNetwork {
  /** Safetensors file with the names and layouts that training writes. */
  readonly weights: Uint8Array;
  readonly preprocessing: PreparedManifest['preprocessing'];
}

export interface ImportOptions {
  /** A graph that `exportOnnx` wrote. */
  readonly onnx: Uint8Array;
  /** The network it was exported from. */
  readonly model: ModelConfig;
  /** Shape of one sample. */
  readonly shape: readonly number[];
  readonly classes: number;
}

/**
 * Reads weights and preprocessing back out of an exported graph: what is attacked is then what is signed and served,
 * wherever the file of the training's weights may be.
 *
 * @throws OnnxError MODEL_LOAD_FAILED for bytes that are no graph; WEIGHTS_INVALID naming a constant that is missing or
 * has another shape than the network says; MlError MODEL_CONFIG_INVALID
 */
export function importNetwork({ onnx, model, shape, classes }: ImportOptions): ImportedNetwork {
  const constants = constantsOf(onnx);
  const tensors = networkShapes(model, shape, classes).map(({ name, shape: expected }): [string, Tensor] => {
    const convolution = expected.length === 4;
    const [height = 0, width = 0, inputs = 0, outputs = 0] = expected;
    const stored = constant(constants, name, convolution ? [outputs, inputs, height, width] : expected);
    const data = convolution ? outputChannelsLast(stored, { area: height * width, inputs, outputs }) : stored;
    return [name, { shape: expected, data }];
  });
  const channels = (name: string): number[] => {
    const values = constants.get(name);
    if (values === undefined) throw missing(name);
    return [...values.data];
  };
  return {
    weights: writeSafetensors(new Map(tensors)),
    preprocessing: {
      kind: 'affine',
      scale: channels('preprocessing.scale'),
      offset: channels('preprocessing.offset'),
    },
  };
}

function constantsOf(bytes: Uint8Array): Map<string, Tensor> {
  let graph: Onnx.IGraphProto | null | undefined;
  try {
    graph = onnxProto.onnx.ModelProto.decode(bytes).graph;
  } catch (cause) {
    throw new OnnxError('MODEL_LOAD_FAILED', 'the bytes are no ONNX graph', { cause });
  }
  return new Map(
    (graph?.initializer ?? []).map(({ name, dims, rawData }): [string, Tensor] => [
      name ?? '',
      { shape: (dims ?? []).map(Number), data: new Float32Array(Uint8Array.from(rawData ?? []).buffer) },
    ]),
  );
}

function constant(constants: ReadonlyMap<string, Tensor>, name: string, shape: readonly number[]): Float32Array {
  const found = constants.get(name);
  if (found === undefined) throw missing(name);
  const size = shape.reduce((product, axis) => product * axis, 1);
  if (found.shape.join() === shape.join() && found.data.length === size) return found.data;
  throw new OnnxError('WEIGHTS_INVALID', `constant ${name} is [${found.shape.join(', ')}], not [${shape.join(', ')}]`, {
    field: name,
  });
}

function missing(name: string): OnnxError {
  return new OnnxError('WEIGHTS_INVALID', `the graph has no constant ${name}`, { field: name });
}
