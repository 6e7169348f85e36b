import type { ModelConfig } from '../../contracts/model-config.ts';
import type { PreparedManifest } from '../../contracts/prepared-data.ts';
import { readSafetensors } from '../ml/index.ts';
import type { Safetensors, Tensor } from '../ml/index.ts';
import { OnnxError } from './errors.ts';
import { GraphBuilder } from './graph.ts';
import type { ValueName } from './graph.ts';
import { exportLayer } from './layers.ts';
import type { Flow } from './layers.ts';
import { OUTPUTS } from './signature.ts';

export interface ExportOptions {
  readonly model: ModelConfig;
  /** Safetensors file: `layers.<i>.kernel` (dense [in, out], convolution [height, width, in, out]), `layers.<i>.bias`. */
  readonly weights: Uint8Array;
  readonly manifest: PreparedManifest;
  /** Digest of the data set, for the model's metadata. */
  readonly dataSha256: string;
}

/**
 * Writes a trained network as an ONNX model that takes raw samples: the standardisation of the data, the layers,
 * softmax and argmax are all in the graph. Input: float32 [batch, ...sample shape], named as in the manifest. Same
 * arguments: same bytes.
 *
 * @throws OnnxError `EXPORT_UNSUPPORTED` (layer), `WEIGHTS_INVALID` (weight); MlError `WEIGHTS_INVALID`
 */
export function exportOnnx(o: ExportOptions): Uint8Array {
  const { input, labels, preprocessing, dataset } = o.manifest;
  const graph = new GraphBuilder();
  const weights = readSafetensors(o.weights);
  const raw = graph.input(input.name, input.shape);
  let flow: Flow = {
    value: standardise(graph, raw, preprocessing),
    shape: input.shape,
    layout: 'channels-last',
  };
  for (const [index, layer] of o.model.layers.entries()) {
    flow = exportLayer(layer, flow, {
      graph,
      path: `layers[${index}]`,
      weight: (name, shape) => weight(weights, `layers.${index}.${name}`, shape),
      constantName: (name) => `layers.${index}.${name}`,
    });
  }
  checkLogits(flow, labels.length, o.model.layers.length - 1);
  const probabilities = graph.node('Softmax', [flow.value], { axis: 1 }, OUTPUTS.probabilities);
  // Of the logits, not of the probabilities: rounding may make two of those equal.
  const label = graph.node('ArgMax', [flow.value], { axis: 1, keepdims: 0 }, OUTPUTS.label);
  graph.output(probabilities, 'float32', [labels.length]);
  graph.output(label, 'int64', []);
  return graph.build({
    name: o.model.name,
    description: o.model.description ?? '',
    metadata: {
      'saip.model': o.model.name,
      'saip.dataset': dataset,
      'saip.data_sha256': o.dataSha256,
      'saip.labels': JSON.stringify(labels),
    },
  });
}

function standardise(
  graph: GraphBuilder,
  raw: ValueName,
  { scale, offset }: PreparedManifest['preprocessing'],
): ValueName {
  const factor = graph.constant('preprocessing.scale', [scale.length], Float32Array.from(scale));
  const shift = graph.constant('preprocessing.offset', [offset.length], Float32Array.from(offset));
  return graph.node('Add', [graph.node('Mul', [raw, factor]), shift]);
}

function weight({ tensors }: Safetensors, name: string, shape: readonly number[]): Tensor {
  const tensor = tensors.get(name);
  if (tensor !== undefined && tensor.shape.join() === shape.join()) return tensor;
  const problem = tensor === undefined ? 'is missing' : `has the shape [${tensor.shape.join(', ')}]`;
  throw new OnnxError('WEIGHTS_INVALID', `weight ${name} of shape [${shape.join(', ')}] ${problem}`, { field: name });
}

function checkLogits(flow: Flow, classes: number, last: number): void {
  if (flow.shape.length === 1 && flow.shape[0] === classes) return;
  throw new OnnxError(
    'EXPORT_UNSUPPORTED',
    `layers[${last}]: the network ends with the shape [${flow.shape.join(', ')}], the data has ${classes} classes`,
    { field: `layers[${last}]` },
  );
}
