import type { ModelConfig } from '../../contracts/model-config.ts';
import { outputsOf, regressionOf } from '../../contracts/prepared-data.ts';
import type { PreparedManifest } from '../../contracts/prepared-data.ts';
import { readSafetensors } from '../ml/index.ts';
import type { Safetensors, Tensor } from '../ml/index.ts';
import { OnnxError } from './errors.ts';
import { GraphBuilder } from './graph.ts';
import type { ValueName } from './graph.ts';
import { channelsFirst, exportLayer, isGreyImage } from './layers.ts';
import type { Flow } from './layers.ts';
import { OUTPUTS } from './signature.ts';
import { tableInputs } from './table-inputs.ts';

export interface ExportOptions {
  readonly model: ModelConfig;
  /** Safetensors file: `layers.<i>.kernel` (dense [in, out], convolution [height, width, in, out]), `layers.<i>.bias`. */
  readonly weights: Uint8Array;
  readonly manifest: PreparedManifest;
  /** Digest of the data set, for the model's metadata. */
  readonly dataSha256: string;
}

/**
 * Writes a trained network as an ONNX model that takes raw samples: the encoding and standardisation of the data, the
 * layers, and softmax and argmax or the way back to the unit of the target are all in the graph. Input: float32 [batch,
 * ...sample shape], named as in the manifest; of a table one input a column, see `tableInputs`. Outputs: see `OUTPUTS`.
 * Same arguments: same bytes.
 *
 * @throws OnnxError `EXPORT_UNSUPPORTED` (layer), `WEIGHTS_INVALID` (weight); MlError `WEIGHTS_INVALID`
 */
export function exportOnnx(o: ExportOptions): Uint8Array {
  const { input, labels, preprocessing, dataset } = o.manifest;
  const graph = new GraphBuilder();
  const weights = readSafetensors(o.weights);
  const raw = o.manifest.version === 2 ? tableInputs(graph, o.manifest) : graph.input(input.name, input.shape);
  let flow = standardise(graph, { value: raw, shape: input.shape, layout: 'channels-last' }, preprocessing);
  for (const [index, layer] of o.model.layers.entries()) {
    flow = exportLayer(layer, flow, {
      graph,
      path: `layers[${index}]`,
      weight: (name, shape) => weight(weights, `layers.${index}.${name}`, shape),
      constantName: (name) => `layers.${index}.${name}`,
    });
  }
  checkOutputs(flow, outputsOf(o.manifest), o.model.layers.length - 1);
  addOutputs(graph, flow.value, o.manifest);
  return graph.build({
    name: o.model.name,
    description: o.model.description ?? '',
    metadata: {
      'saip.model': o.model.name,
      'saip.dataset': dataset,
      'saip.data_sha256': o.dataSha256,
      ...(labels.length > 0 && { 'saip.labels': JSON.stringify(labels) }),
    },
  });
}

function addOutputs(graph: GraphBuilder, value: ValueName, manifest: PreparedManifest): void {
  const target = regressionOf(manifest);
  if (target !== undefined) {
    const scale = graph.constant('target.scale', [1], Float32Array.of(target.scale));
    const mean = graph.constant('target.mean', [1], Float32Array.of(target.mean));
    graph.node('Add', [graph.node('Mul', [value, scale]), mean], {}, { output: OUTPUTS.prediction });
    graph.output(OUTPUTS.prediction, 'float32', [1]);
    return;
  }
  graph.node('Softmax', [value], { axis: 1 }, { output: OUTPUTS.probabilities });
  // Of the logits, not of the probabilities: rounding may make two of those equal.
  graph.node('ArgMax', [value], { axis: 1, keepdims: 0 }, { output: OUTPUTS.label });
  graph.output(OUTPUTS.probabilities, 'float32', [manifest.labels.length]);
  graph.output(OUTPUTS.label, 'int64', []);
}

/** Where all channels are one, it is moved out of the way first: along a last axis of 1 runtimes go number by number. */
function standardise(graph: GraphBuilder, flow: Flow, { scale, offset }: PreparedManifest['preprocessing']): Flow {
  const factor = graph.constant('preprocessing.scale', [scale.length], Float32Array.from(scale));
  const shift = graph.constant('preprocessing.offset', [offset.length], Float32Array.from(offset));
  const { value, layout }: Pick<Flow, 'value' | 'layout'> = isGreyImage(flow)
    ? { value: channelsFirst(flow, graph), layout: 'channels-first' }
    : flow;
  return { ...flow, layout, value: graph.node('Add', [graph.node('Mul', [value, factor]), shift]) };
}

function weight({ tensors }: Safetensors, name: string, shape: readonly number[]): Tensor {
  const tensor = tensors.get(name);
  if (tensor !== undefined && tensor.shape.join() === shape.join()) return tensor;
  const problem = tensor === undefined ? 'is missing' : `has the shape [${tensor.shape.join(', ')}]`;
  throw new OnnxError('WEIGHTS_INVALID', `weight ${name} of shape [${shape.join(', ')}] ${problem}`, { field: name });
}

function checkOutputs(flow: Flow, outputs: number, last: number): void {
  if (flow.shape.length === 1 && flow.shape[0] === outputs) return;
  const asked = outputs === 1 ? 'is one number' : `has ${outputs} classes`;
  throw new OnnxError(
    'EXPORT_UNSUPPORTED',
    `layers[${last}]: the network ends with the shape [${flow.shape.join(', ')}], the data ${asked}`,
    { field: `layers[${last}]` },
  );
}
