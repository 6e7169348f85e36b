import onnxProto from 'onnx-proto';
import type { onnx as Onnx } from 'onnx-proto';

const { onnx } = onnxProto;
const { DataType } = onnx.TensorProto;

export type ElementName = keyof typeof DataType;

const valueInfo = (name: string, elemType: number, shape: readonly (number | string)[]): Onnx.IValueInfoProto => ({
  name,
  type: {
    tensorType: {
      elemType,
      shape: { dim: shape.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size })) },
    },
  },
});

const model = (graph: Onnx.IGraphProto): Uint8Array =>
  onnx.ModelProto.encode({ irVersion: 7, opsetImport: [{ domain: '', version: 13 }], graph }).finish();

const floats = (name: string, dims: number[], data: readonly number[]): Onnx.ITensorProto => ({
  name,
  dims,
  dataType: DataType.FLOAT,
  floatData: [...data],
});

/** `score = x · 1 + bias` over `features` inputs, and its class: two outputs, FP32 and INT64. */
export function linearModel({ features = 4, bias = 0 }: { features?: number; bias?: number } = {}): Uint8Array {
  return model({
    name: 'linear',
    node: [
      { opType: 'MatMul', input: ['x', 'weight'], output: ['product'] },
      { opType: 'Add', input: ['product', 'bias'], output: ['score'] },
      {
        opType: 'ArgMax',
        input: ['score'],
        output: ['label'],
        attribute: [
          { name: 'axis', type: onnx.AttributeProto.AttributeType.INT, i: 1 },
          { name: 'keepdims', type: onnx.AttributeProto.AttributeType.INT, i: 0 },
        ],
      },
    ],
    initializer: [
      floats('weight', [features, 2], new Array<number>(features * 2).fill(1)),
      floats('bias', [2], [bias, bias - 1]),
    ],
    input: [valueInfo('x', DataType.FLOAT, ['batch', features])],
    output: [valueInfo('score', DataType.FLOAT, ['batch', 2]), valueInfo('label', DataType.INT64, ['batch'])],
  });
}

/** `layers` products of `size` × `size` matrices: enough work that a call with rows takes milliseconds. */
export function deepModel({ size = 256, layers = 24 } = {}): Uint8Array {
  const weights = floats('weight', [size, size], new Array<number>(size * size).fill(1 / size));
  const names = ['x', ...Array.from({ length: layers }, (_, layer) => `h${layer}`)];
  return model({
    name: 'deep',
    node: names
      .slice(1)
      .map((name, layer) => ({ opType: 'MatMul', input: [names[layer] ?? '', 'weight'], output: [name] })),
    initializer: [weights],
    input: [valueInfo('x', DataType.FLOAT, ['batch', size])],
    output: [valueInfo(names.at(-1) ?? '', DataType.FLOAT, ['batch', size])],
  });
}

/** Gives its input back, whatever its element type. */
export function identityModel(element: ElementName, shape: readonly (number | string)[] = ['batch', 2]): Uint8Array {
  return model({
    name: 'identity',
    node: [{ opType: 'Identity', input: ['x'], output: ['y'] }],
    initializer: [],
    input: [valueInfo('x', DataType[element], shape)],
    output: [valueInfo('y', DataType[element], shape)],
  });
}

/** `y = x - mean over the batch`: what a row gets depends on its neighbours. */
export function meanModel(): Uint8Array {
  const attribute = [
    { name: 'axes', type: onnx.AttributeProto.AttributeType.INTS, ints: [0] },
    { name: 'keepdims', type: onnx.AttributeProto.AttributeType.INT, i: 1 },
  ];
  return model({
    name: 'mean',
    node: [
      { opType: 'ReduceMean', input: ['x'], output: ['mean'], attribute },
      { opType: 'Sub', input: ['x', 'mean'], output: ['y'] },
    ],
    initializer: [],
    input: [valueInfo('x', DataType.FLOAT, ['batch', 4])],
    output: [valueInfo('y', DataType.FLOAT, ['batch', 4])],
  });
}
