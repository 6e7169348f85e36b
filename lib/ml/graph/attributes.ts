import { bytesField, floatField, integerField, varint } from './protobuf.ts';

/** Numbers of tensorflow.DataType. */
export const DataType = { float32: 1, int32: 3, uint8: 4, bool: 10 } as const;
export type DataType = (typeof DataType)[keyof typeof DataType];

/** An encoded tensorflow.AttrValue. */
export type Attribute = Buffer & { readonly attribute?: never };

/** -1 stands for a dimension that is only known when the graph runs. */
export type Shape = readonly number[];

export const attribute = {
  string: (value: string): Attribute => bytesField(2, value),
  integer: (value: number): Attribute => integerField(3, value),
  float: (value: number): Attribute => floatField(4, value),
  boolean: (value: boolean): Attribute => integerField(5, value ? 1 : 0),
  type: (value: DataType): Attribute => integerField(6, value),
  shape: (value: Shape): Attribute => bytesField(7, shapeProto(value)),
  integers: (values: readonly number[]): Attribute => bytesField(1, bytesField(3, Buffer.concat(values.map(varint)))),
  floatTensor: (shape: Shape, values: readonly number[]): Attribute =>
    tensor(DataType.float32, shape, new Uint8Array(Float32Array.from(values).buffer)),
  integerTensor: (shape: Shape, values: readonly number[]): Attribute =>
    tensor(DataType.int32, shape, new Uint8Array(Int32Array.from(values).buffer)),
};

function shapeProto(shape: Shape): Buffer {
  return Buffer.concat(shape.map((size) => bytesField(2, integerField(1, size))));
}

function tensor(dtype: DataType, shape: Shape, content: Uint8Array): Buffer {
  return bytesField(
    8,
    Buffer.concat([integerField(1, dtype), bytesField(2, shapeProto(shape)), bytesField(4, content)]),
  );
}
