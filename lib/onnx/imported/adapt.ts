import onnxProto from 'onnx-proto';
import type { onnx as Onnx } from 'onnx-proto';
import type { ModelCard } from '../../../contracts/import-model.ts';
import type { PreparedTable } from '../../../contracts/prepared-data.ts';
import { GraphBuilder } from '../graph.ts';
import type { GraphParts } from '../graph.ts';
import { OUTPUTS } from '../signature.ts';
import { domainOf } from '../scan/operators.ts';
import { fixed } from '../scan/scan.ts';
import type { ScannedModel } from '../scan/scan.ts';
import { tableInputs } from '../table-inputs.ts';
import { wrongCard } from './card.ts';
import { checkColumns } from './columns.ts';
import { bareOutputs, withoutZipMaps } from './outputs.ts';
import { WrapperNodes } from './wrapper.ts';

const { onnx } = onnxProto;
const { DataType } = onnx.TensorProto;

/** What the data set serves: the platform's interface of the model. */
export interface ServedInterface {
  /** Name of the input; a table has one input a column instead. */
  readonly input: string;
  /** Of one sample: [features] or [height, width, channels]; of a table [encoded entries]. */
  readonly shape: readonly number[];
  /** None for a quantity. */
  readonly labels: readonly string[];
  readonly table?: Pick<PreparedTable, 'columns' | 'missing'> | undefined;
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
  checkTask(card, served);
  const { graph, scores: named } = withoutZipMaps(scanned.graph, card, served.labels);
  const outputs = bareOutputs(graph, { named, card, classes: Math.max(1, served.labels.length) });
  const inner = renamed(graph);
  const wrapper = new WrapperNodes();
  const fed = feed(wrapper, scanned, { card, served });
  const read = wrapper.read(PREFIX + outputs.scores.name, {
    ...outputs.scores,
    kind: card.output.kind,
    columns: columnsOf(card, served.labels),
  });
  return {
    served: encode(scanned.model, {
      domains: fed.domains,
      graph: {
        name: card.name,
        node: [...fed.nodes, ...inner.node, ...read],
        initializer: [...fed.initializers, ...wrapper.constants, ...inner.initializer],
        input: [...fed.inputs],
        output: servedOutputs(served),
      },
    }),
    bare: encode(scanned.model, {
      graph: {
        name: card.name,
        node: graph.node ?? [],
        initializer: graph.initializer ?? [],
        input: graph.input ?? [],
        output: outputs.declared,
      },
    }),
  };
}

function checkTask({ dataset, output }: ModelCard, { labels, table }: ServedInterface): void {
  const quantity = labels.length === 0;
  if ((output.kind === 'quantity') !== quantity) {
    const asks = quantity ? 'a quantity' : `one of ${labels.length} classes`;
    throw wrongCard('output.kind', `${dataset} asks for ${asks}, which is not read from ${output.kind}`);
  }
  const taken = table?.columns.find(
    ({ name }) => (Object.values(OUTPUTS) as string[]).includes(name) || /^(imported|wrapper)\//.test(name),
  );
  if (taken !== undefined)
    throw wrongCard('dataset', `a feature cannot be named "${taken.name}", as the platform's own`);
}

/** From what the data set serves to what the graph takes. */
function feed(
  wrapper: WrapperNodes,
  { graph }: ScannedModel,
  { card, served }: Omit<AdaptOptions, 'scanned'>,
): GraphParts {
  const { table, shape } = served;
  if (card.input.layout === 'columns') return feedColumns(wrapper, graph, card, table);
  const dims = sampleShape(card, shape);
  checkInput(graph, card, dims);
  const [input] = graph.input ?? [];
  const encoding = new GraphBuilder();
  const raw = table === undefined ? encoding.input(served.input, shape) : tableInputs(encoding, table);
  const { nodes, ...parts } = encoding.parts;
  const double = input?.type?.tensorType?.elemType === DataType.DOUBLE;
  const fed = wrapper.feed(raw, { card, shape, double, target: PREFIX + (input?.name ?? '') });
  return { ...parts, nodes: [...nodes, ...fed] };
}

/** Named features go where the graph has inputs of their names, with raw values. */
function feedColumns(
  wrapper: WrapperNodes,
  graph: Onnx.IGraphProto,
  card: ModelCard,
  table: ServedInterface['table'],
): GraphParts {
  const columns = table?.columns ?? [];
  const inputs = checkColumns(graph, card, columns);
  const types = new Map((graph.input ?? []).map(({ name, type }) => [name, type?.tensorType?.elemType]));
  const encoding = new GraphBuilder();
  for (const { name, kind } of columns) encoding.input(name, [1], kind === 'numeric' ? 'float32' : 'string');
  const fed = wrapper.feedColumns(
    columns.map(({ name, kind }) => {
      const input = inputs.get(name) ?? name;
      const cast = kind === 'numeric' ? (types.get(input) ?? DataType.FLOAT) : undefined;
      return { name, target: PREFIX + input, cast };
    }),
  );
  return { ...encoding.parts, nodes: fed };
}

function servedOutputs({ labels }: ServedInterface): Onnx.IValueInfoProto[] {
  if (labels.length === 0) return [valueInfo(OUTPUTS.prediction, DataType.FLOAT, [1])];
  return [
    valueInfo(OUTPUTS.probabilities, DataType.FLOAT, [labels.length]),
    valueInfo(OUTPUTS.label, DataType.INT64, []),
  ];
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
  const inputs = (input ?? []).length;
  if (inputs > 1) throw wrongCard('input.layout', `the graph takes ${inputs} inputs: name them as the columns`);
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

function encode(
  { irVersion, opsetImport, graph: sent }: Onnx.ModelProto,
  { graph, domains = [] }: { readonly graph: Onnx.IGraphProto; readonly domains?: GraphParts['domains'] },
): Uint8Array {
  const versions = new Map(opsetImport.map(({ domain, version }) => [domainOf(domain), Number(version)]));
  for (const [domain, least] of domains) {
    if ((versions.get(domain) ?? least) < least) checkRaised(sent?.node ?? []);
    versions.set(domain, Math.max(versions.get(domain) ?? least, least));
  }
  // A forest alone may need no standard operators; the wrapper does.
  if (!versions.has('')) versions.set('', 13);
  return onnx.ModelProto.encode({
    irVersion,
    opsetImport: [...versions].map(([domain, version]) => ({ domain, version })),
    producerName: 'secure-ai-platform',
    graph,
  }).finish();
}

/** Between versions 1 and 2 of ai.onnx.ml only the label encoder became another. */
function checkRaised(nodes: readonly Onnx.INodeProto[]): void {
  if (!nodes.some(({ opType }) => opType === 'LabelEncoder')) return;
  throw wrongCard('input.layout', 'categories are read by ai.onnx.ml 2 or later; export the model for a newer one');
}

function valueInfo(name: string, elemType: number, shape: readonly number[]): Onnx.IValueInfoProto {
  const dim = [{ dimParam: 'batch' }, ...shape.map((dimValue) => ({ dimValue }))];
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}
