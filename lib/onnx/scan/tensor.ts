import onnxProto from 'onnx-proto';
import type { onnx as Onnx } from 'onnx-proto';
import { SCAN_LIMITS } from './limits.ts';
import { malformed, refused, tooLarge } from './refusals.ts';

const { DataType, DataLocation } = onnxProto.onnx.TensorProto;

/** Bytes of an element in `rawData`; types that are not here are refused. Strings have no raw form. */
const WIDTH: Readonly<Record<number, number>> = {
  [DataType.FLOAT]: 4,
  [DataType.DOUBLE]: 8,
  [DataType.INT8]: 1,
  [DataType.INT16]: 2,
  [DataType.INT32]: 4,
  [DataType.INT64]: 8,
  [DataType.UINT8]: 1,
  [DataType.UINT32]: 4,
  [DataType.BOOL]: 1,
  [DataType.STRING]: 0,
};

/** Fields that hold the elements where they are not raw. */
const TYPED: Readonly<Record<number, 'floatData' | 'doubleData' | 'int32Data' | 'int64Data' | 'uint64Data'>> = {
  [DataType.FLOAT]: 'floatData',
  [DataType.DOUBLE]: 'doubleData',
  [DataType.INT8]: 'int32Data',
  [DataType.INT16]: 'int32Data',
  [DataType.INT32]: 'int32Data',
  [DataType.INT64]: 'int64Data',
  [DataType.UINT8]: 'int32Data',
  [DataType.UINT32]: 'uint64Data',
  [DataType.BOOL]: 'int32Data',
};

/** The name of an element type, such as `float` or `int64`. */
export function typeName(elemType: number | null | undefined): string {
  return (DataType[elemType ?? 0] ?? String(elemType)).toLowerCase();
}

/**
 * A tensor must hold exactly the elements that its shape says, inside the file.
 *
 * @returns its elements
 * @throws OnnxError MODEL_GRAPH_REFUSED, MODEL_GRAPH_TOO_LARGE, MODEL_GRAPH_MALFORMED naming the tensor
 */
export function checkTensor(tensor: Onnx.ITensorProto, where: string): number {
  if (tensor.dataLocation === DataLocation.EXTERNAL || (tensor.externalData ?? []).length > 0) {
    throw refused(where, 'external data is not allowed');
  }
  if (tensor.segment != null) throw refused(where, 'a segmented tensor is not allowed');
  const width = WIDTH[tensor.dataType ?? 0];
  if (width === undefined) throw refused(where, `elements of type ${typeName(tensor.dataType)} are not allowed`);
  const dims = (tensor.dims ?? []).map(Number);
  if (dims.length > SCAN_LIMITS.rank) throw tooLarge(where, `${dims.length} axes`);
  if (dims.some((size) => !Number.isSafeInteger(size) || size < 0)) throw malformed(where, `shape [${dims.join()}]`);
  const elements = dims.reduce((product, size) => product * size, 1);
  if (!(elements <= SCAN_LIMITS.elements)) throw tooLarge(where, `${elements} elements`);
  const held = elementsOf(tensor, width, where);
  if (held !== elements)
    throw malformed(where, `${held} elements where the shape [${dims.join(', ')}] says ${elements}`);
  return elements;
}

function elementsOf(tensor: Onnx.ITensorProto, width: number, where: string): number {
  const { rawData, stringData, dataType } = tensor;
  const raw = rawData?.length ?? 0;
  const lists = ['floatData', 'doubleData', 'int32Data', 'int64Data', 'uint64Data'] as const;
  const filled = lists.filter((list) => (tensor[list] ?? []).length > 0);
  if (dataType === DataType.STRING) {
    if (raw > 0 || filled.length > 0) throw malformed(where, 'strings and numbers in one tensor');
    return stringData?.length ?? 0;
  }
  if ((stringData ?? []).length > 0) throw malformed(where, 'strings in a tensor of numbers');
  if (raw > 0) {
    if (filled.length > 0) throw malformed(where, 'elements are there twice');
    return raw / width;
  }
  const own = TYPED[dataType ?? 0];
  if (filled.some((list) => list !== own)) throw malformed(where, 'elements of another type than the tensor has');
  return own === undefined ? 0 : (tensor[own] ?? []).length;
}
