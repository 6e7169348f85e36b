import onnxProto from 'onnx-proto';
import type { onnx as Onnx } from 'onnx-proto';
import type { ModelCard } from '../../../contracts/import-model.ts';
import { OUTPUTS } from '../signature.ts';
import { domainOf } from '../scan/operators.ts';
import { fixed } from '../scan/scan.ts';
import type { ScannedModel } from '../scan/scan.ts';
import { wrongCard } from './card.ts';
import { bareOutputs, withoutZipMaps } from './outputs.ts';
import { WrapperNodes } from './wrapper.ts';

const { onnx } = onnxProto;
const { DataType } = onnx.TensorProto;

/** What the data set serves: the platform's interface of the model. */
export interface ServedInterface {
  /** Name of the input. */
  readonly input: string;
  /** Of one sample: [features] or [height, width, channels]. */
  readonly shape: readonly number[];
  readonly labels: readonly string[];
}

export interface AdaptOptions {
  readonly scanned: ScannedModel;
  readonly card: ModelCard;
  readonly served: ServedInterface;
}

export interface AdaptedGraphs {
  /** The platform's interface round the graph: raw samples in, probabilities and class out. */
  readonly served: Uint8Array;
  /** The graph as it was, with the card's outputs as plain tensors: what `served` is compared with. */
  readonly bare: Uint8Array;
}

/** Every value of the graph gets this before its name, so that none collides with the wrapper's. */
const PREFIX = 'imported/';

/**
 * Wraps a scanned graph: raw samples [batch, ...shape] are put into the order, scale and type that the card says; what
 * comes out becomes probabilities by the data set's order of labels, and the class of the largest. Notes of the exporter
 * are left out.
 *
 * @throws OnnxError MODEL_CARD_INVALID naming the card's field
 */
export function adaptModel({ scanned, card, served }: AdaptOptions): AdaptedGraphs {
  const { graph, scores: named } = withoutZipMaps(scanned.graph, card, served.labels);
  const dims = sampleShape(card, served.shape);
  checkInput(scanned.graph, card, dims);
  const outputs = bareOutputs(graph, { named, card, classes: served.labels.length });
  const [input] = graph.input ?? [];
  const inner = renamed(graph);
  const wrapper = new WrapperNodes();
  const fed = wrapper.feed(served.input, {
    card,
    shape: served.shape,
    double: input?.type?.tensorType?.elemType === DataType.DOUBLE,
    target: PREFIX + (input?.name ?? ''),
  });
  const read = wrapper.read(PREFIX + outputs.scores.name, {
    kind: card.output.kind,
    columns: columnsOf(card, served.labels),
    double: outputs.scores.double,
  });
  return {
    served: encode(scanned.model, {
      name: card.name,
      node: [...fed, ...inner.node, ...read],
      initializer: [...wrapper.constants, ...inner.initializer],
      input: [valueInfo(served.input, DataType.FLOAT, served.shape)],
      output: [
        valueInfo(OUTPUTS.probabilities, DataType.FLOAT, [served.labels.length]),
        valueInfo(OUTPUTS.label, DataType.INT64, []),
      ],
    }),
    bare: encode(scanned.model, {
      name: card.name,
      node: graph.node ?? [],
      initializer: graph.initializer ?? [],
      input: graph.input ?? [],
      output: outputs.declared,
    }),
  };
}

/** Place of each label of the data set among the columns of the graph; undefined where the orders are the same. */
export function columnsOf({ labels }: ModelCard, wanted: readonly string[]): number[] | undefined {
  if (labels === undefined) return undefined;
  const columns = wanted.map((label) => labels.indexOf(label));
  if (labels.length !== wanted.length || columns.includes(-1)) {
    throw wrongCard('labels', `they are not those of the data set: ${wanted.join(', ')}`);
  }
  return columns.every((column, index) => column === index) ? undefined : columns;
}

/** What the graph takes of one sample, by the card. @throws OnnxError MODEL_CARD_INVALID */
export function sampleShape({ input: { layout, scale, offset } }: ModelCard, shape: readonly number[]): number[] {
  const channels = shape.at(-1) ?? 1;
  for (const [name, values] of Object.entries({ scale, offset })) {
    if (values.length !== 1 && values.length !== channels) {
      throw wrongCard(`input.${name}`, `${values.length} entries for ${channels} channels`);
    }
  }
  if (layout === 'flat') return [shape.reduce((product, size) => product * size, 1)];
  if (shape.length !== 3) throw wrongCard('input.layout', `samples of [${shape.join(', ')}] have no channels`);
  const [height = 0, width = 0] = shape;
  return layout === 'channels-last' ? [height, width, channels] : [channels, height, width];
}

function checkInput({ input }: Onnx.IGraphProto, { input: { layout } }: ModelCard, dims: readonly number[]): void {
  const declared = (input?.[0]?.type?.tensorType?.shape?.dim ?? []).slice(1).map(fixed);
  const fits = declared.length === dims.length && declared.every((size, axis) => (size ?? dims[axis]) === dims[axis]);
  if (fits) return;
  const shown = declared.map((size) => size ?? '?').join(', ');
  throw wrongCard('input.layout', `${layout} makes samples of [${dims.join(', ')}]; the graph takes [${shown}]`);
}

function renamed({ node, initializer }: Onnx.IGraphProto): {
  node: Onnx.INodeProto[];
  initializer: Onnx.ITensorProto[];
} {
  const name = (value: string): string => (value === '' ? '' : PREFIX + value);
  return {
    node: (node ?? []).map((one, index) => ({
      ...{ opType: one.opType, domain: one.domain, attribute: one.attribute },
      name: PREFIX + (one.name || `node_${index}`),
      input: (one.input ?? []).map(name),
      output: (one.output ?? []).map(name),
    })),
    initializer: (initializer ?? []).map((tensor) => ({ ...tensor, name: name(tensor.name ?? '') })),
  };
}

function encode({ irVersion, opsetImport }: Onnx.ModelProto, graph: Onnx.IGraphProto): Uint8Array {
  const versions = new Map(opsetImport.map(({ domain, version }) => [domainOf(domain), version]));
  // A forest alone may need no standard operators; the wrapper does.
  if (!versions.has('')) versions.set('', 13);
  return onnx.ModelProto.encode({
    irVersion,
    opsetImport: [...versions].map(([domain, version]) => ({ domain, version })),
    producerName: 'secure-ai-platform',
    graph,
  }).finish();
}

function valueInfo(name: string, elemType: number, shape: readonly number[]): Onnx.IValueInfoProto {
  const dim = [{ dimParam: 'batch' }, ...shape.map((dimValue) => ({ dimValue }))];
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}
