import onnxProto from 'onnx-proto';
import type { onnx as Onnx } from 'onnx-proto';
import type { ModelCard } from '../../../contracts/import-model.ts';
import type { PreparedColumn } from '../../../contracts/prepared-data.ts';
import { wrongCard } from './card.ts';
import { inputsByFeature } from './names.ts';

const { DataType } = onnxProto.onnx.TensorProto;

/**
 * Whether a graph of named features takes exactly the columns of the table: numbers as float, double or int64, everything
 * else as the strings that the table holds. Nothing is scaled on the way, and a number that may be missing (NaN) cannot
 * become an integer.
 *
 * @returns column → input of the graph
 * @throws OnnxError MODEL_CARD_INVALID naming the card's field
 */
export function checkColumns(
  { input }: Onnx.IGraphProto,
  { dataset, input: { scale, offset } }: ModelCard,
  columns: readonly PreparedColumn[],
): Map<string, string> {
  if (columns.length === 0) throw wrongCard('input.layout', `${dataset} is no table: it has no columns`);
  if ([...scale.map((factor) => factor - 1), ...offset].some((value) => value !== 0)) {
    throw wrongCard('input.scale', 'named features are fed as they are');
  }
  const types = new Map((input ?? []).map(({ name, type }) => [name ?? '', type?.tensorType?.elemType]));
  const inputs = inputsByFeature(
    columns.map(({ name }) => name),
    [...types.keys()],
  );
  const taken = new Set(inputs.values());
  const stray = [...types.keys()].find((name) => !taken.has(name));
  if (stray !== undefined) throw wrongCard('input.layout', `the graph takes "${stray}", which ${dataset} has not`);
  for (const column of columns) {
    const type = types.get(inputs.get(column.name) ?? '');
    if (type === undefined) throw wrongCard('input.layout', `the graph takes no "${column.name}"`);
    if ((column.kind === 'numeric') === (type === DataType.STRING)) {
      const wanted = column.kind === 'numeric' ? 'a number' : 'a string';
      throw wrongCard('input.layout', `"${column.name}" is ${wanted}, and the graph takes something else`);
    }
    if (type === DataType.INT64 && column.kind === 'numeric' && !(column.integer && column.imputed === undefined)) {
      throw wrongCard('input.layout', `"${column.name}" may be a fraction or missing, and the graph takes int64`);
    }
  }
  return inputs;
}
