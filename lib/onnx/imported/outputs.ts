import onnxProto from 'onnx-proto';
import type { onnx as Onnx } from 'onnx-proto';
import type { ModelCard } from '../../../contracts/import-model.ts';
import { fixed } from '../scan/scan.ts';
import { wrongCard } from './card.ts';

const { DataType } = onnxProto.onnx.TensorProto;

export interface BareOutputs {
  /** `flat`: of the shape [batch], which a quantity may have. */
  readonly scores: { readonly name: string; readonly double: boolean; readonly flat: boolean };
  /** Of the graph that answers nothing but what the card names. */
  readonly declared: Onnx.IValueInfoProto[];
}

/**
 * Takes the ZipMaps out: an output that was a list of maps becomes the tensor of probabilities that it was made of.
 *
 * @throws OnnxError MODEL_CARD_INVALID where the ZipMap has other labels, or another order, than the card says
 */
export function withoutZipMaps(
  graph: Onnx.IGraphProto,
  card: ModelCard,
  labels: readonly string[],
): { readonly graph: Onnx.IGraphProto; readonly scores: string } {
  const maps = (graph.node ?? []).filter(({ opType }) => opType === 'ZipMap');
  if (maps.length === 0) return { graph, scores: card.output.name };
  const made = new Map(maps.map((node) => [node.output?.[0] ?? '', node]));
  for (const { opType, input = [] } of graph.node ?? []) {
    const reads = (input ?? []).some((name) => made.has(name));
    if (reads) throw wrongCard('output.name', `${opType ?? 'a node'} reads maps of probabilities; only an output may`);
  }
  const node = made.get(card.output.name);
  if (node !== undefined) checkLabels(node, card.labels ?? labels);
  const without = {
    ...graph,
    node: (graph.node ?? []).filter(({ opType }) => opType !== 'ZipMap'),
    output: (graph.output ?? []).map((value) => {
      const source = made.get(value.name ?? '')?.input?.[0];
      return source === undefined ? value : { name: source, type: { tensorType: { elemType: DataType.FLOAT } } };
    }),
  };
  return { graph: without, scores: node?.input?.[0] ?? card.output.name };
}

function checkLabels({ attribute }: Onnx.INodeProto, expected: readonly string[]): void {
  const found = (attribute ?? []).flatMap(({ name, ints, strings }) =>
    name === 'classlabels_int64s'
      ? (ints ?? []).map(String)
      : name === 'classlabels_strings'
        ? (strings ?? []).map((text) => Buffer.from(text).toString('utf8'))
        : [],
  );
  if (found.join('\0') === expected.join('\0')) return;
  throw wrongCard('labels', `the graph's own labels are ${found.slice(0, 20).join(', ')}`);
}

/**
 * The scores and the class that the card names.
 *
 * @param classes 1 for a quantity
 * @param named output with the scores, once ZipMaps are out
 * @throws OnnxError MODEL_CARD_INVALID
 */
export function bareOutputs(
  graph: Onnx.IGraphProto,
  { named, card: { output }, classes }: { readonly named: string; readonly card: ModelCard; readonly classes: number },
): BareOutputs {
  const scores = find(graph, named, 'output.name');
  const tensor = scores.type?.tensorType;
  if (tensor?.elemType !== DataType.FLOAT && tensor?.elemType !== DataType.DOUBLE) {
    throw wrongCard('output.name', 'this output is no tensor of floats');
  }
  const dims = tensor.shape?.dim;
  const columns = fixed(dims?.[1]);
  const flat = output.kind === 'quantity' && dims?.length === 1;
  if (dims != null && !flat && (dims.length !== 2 || (columns !== undefined && columns !== classes))) {
    const shown = dims.map((dim) => fixed(dim) ?? '?').join(', ');
    throw wrongCard('output.name', `[${shown}] where [batch, ${classes}] is needed`);
  }
  const label = output.label === undefined ? [] : [find(graph, output.label, 'output.label')];
  for (const { type } of label) {
    const elemType = type?.tensorType?.elemType;
    if (elemType !== DataType.INT64 && elemType !== DataType.STRING) {
      throw wrongCard('output.label', 'this output is no tensor of int64 or strings');
    }
  }
  return {
    scores: { name: scores.name ?? '', double: tensor.elemType === DataType.DOUBLE, flat },
    declared: [scores, ...label],
  };
}

function find({ output }: Onnx.IGraphProto, name: string, field: string): Onnx.IValueInfoProto {
  const found = (output ?? []).find((value) => value.name === name);
  if (found !== undefined) return found;
  const names = (output ?? []).map((value) => value.name).join(', ');
  throw wrongCard(field, `the graph has no such output; it has ${names}`);
}
