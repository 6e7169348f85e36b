import onnxProto from 'onnx-proto';
import type { onnx as Onnx } from 'onnx-proto';

const { onnx } = onnxProto;
const { DataType } = onnx.TensorProto;
const { AttributeType } = onnx.AttributeProto;

export { AttributeType, DataType };

export const int = (name: string, i: number): Onnx.IAttributeProto => ({ name, type: AttributeType.INT, i });
export const ints = (name: string, values: readonly number[]): Onnx.IAttributeProto => ({
  name,
  type: AttributeType.INTS,
  ints: [...values],
});
export const reals = (name: string, floats: readonly number[]): Onnx.IAttributeProto => ({
  name,
  type: AttributeType.FLOATS,
  floats: [...floats],
});
export const strings = (name: string, values: readonly string[]): Onnx.IAttributeProto => ({
  name,
  type: AttributeType.STRINGS,
  strings: values.map((value) => Buffer.from(value)),
});

export const floats = (name: string, dims: readonly number[], data: readonly number[]): Onnx.ITensorProto => ({
  name,
  dims: [...dims],
  dataType: DataType.FLOAT,
  floatData: [...data],
});

export const whole = (name: string, values: readonly number[]): Onnx.ITensorProto => ({
  name,
  dims: [values.length],
  dataType: DataType.INT64,
  int64Data: [...values],
});

export function value(name: string, shape: readonly (number | string)[], elemType: number = DataType.FLOAT) {
  const dim = shape.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size }));
  return { name, type: { tensorType: { elemType, shape: { dim } } } } satisfies Onnx.IValueInfoProto;
}

/** `scores = softmax(pixels · W)` over 4 features and 3 classes; `changes` spoil it. */
export function plainModel(
  changes: Partial<Onnx.IModelProto> = {},
  graph: Partial<Onnx.IGraphProto> = {},
): Onnx.IModelProto {
  return {
    irVersion: 8,
    opsetImport: [{ domain: '', version: 17 }],
    producerName: 'a test',
    graph: {
      name: 'plain',
      node: [
        { name: 'product', opType: 'MatMul', input: ['pixels', 'W'], output: ['raw'] },
        { name: 'softmax', opType: 'Softmax', input: ['raw'], output: ['scores'], attribute: [int('axis', 1)] },
      ],
      initializer: [floats('W', [4, 3], [1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0])],
      input: [value('pixels', ['batch', 4])],
      output: [value('scores', ['batch', 3])],
      ...graph,
    },
    ...changes,
  };
}

/** A stump over feature 0: below 100 class 0, else class 1 or 2 by feature 1. */
export function forestNode(changes: Readonly<Record<string, Onnx.IAttributeProto>> = {}): Onnx.INodeProto {
  const attributes: Record<string, Onnx.IAttributeProto> = {
    nodes_treeids: ints('nodes_treeids', [0, 0, 0, 0, 0]),
    nodes_nodeids: ints('nodes_nodeids', [0, 1, 2, 3, 4]),
    nodes_featureids: ints('nodes_featureids', [0, 0, 1, 0, 0]),
    nodes_modes: strings('nodes_modes', ['BRANCH_LEQ', 'LEAF', 'BRANCH_LEQ', 'LEAF', 'LEAF']),
    nodes_values: reals('nodes_values', [100, 0, 100, 0, 0]),
    nodes_truenodeids: ints('nodes_truenodeids', [1, 0, 3, 0, 0]),
    nodes_falsenodeids: ints('nodes_falsenodeids', [2, 0, 4, 0, 0]),
    nodes_hitrates: reals('nodes_hitrates', [1, 1, 1, 1, 1]),
    nodes_missing_value_tracks_true: ints('nodes_missing_value_tracks_true', [0, 0, 0, 0, 0]),
    class_treeids: ints('class_treeids', [0, 0, 0]),
    class_nodeids: ints('class_nodeids', [1, 3, 4]),
    class_ids: ints('class_ids', [0, 1, 2]),
    class_weights: reals('class_weights', [1, 1, 1]),
    classlabels_int64s: ints('classlabels_int64s', [0, 1, 2]),
    ...changes,
  };
  return {
    ...{ name: 'forest', opType: 'TreeEnsembleClassifier', domain: 'ai.onnx.ml' },
    ...{ input: ['pixels'], output: ['label', 'scores'], attribute: Object.values(attributes) },
  };
}

export function forestModel(changes: Readonly<Record<string, Onnx.IAttributeProto>> = {}): Onnx.IModelProto {
  return plainModel(
    { opsetImport: [{ domain: 'ai.onnx.ml', version: 3 }] },
    {
      node: [forestNode(changes)],
      initializer: [],
      output: [value('label', ['batch'], DataType.INT64), value('scores', ['batch', 3])],
    },
  );
}

export function bytesOf(model: Onnx.IModelProto): Uint8Array {
  return onnx.ModelProto.encode(model).finish();
}
