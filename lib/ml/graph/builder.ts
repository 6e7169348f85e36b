import { attribute, DataType } from './attributes.ts';
import type { Attribute, Shape } from './attributes.ts';
import { bytesField, integerField } from './protobuf.ts';

/** Name of a node's output, `node` or `node:index`. */
export type Output = string;

/** Version of the GraphDef semantics that is written; TensorFlow keeps reading old ones. */
const PRODUCER = 1900;
const SERVE_TAG = 'serve';

const float32 = attribute.type(DataType.float32);
const int32 = attribute.type(DataType.int32);

/**
 * Collects the nodes of a TensorFlow graph. The operations are those of TensorFlow's op registry, with the names and
 * attributes given there.
 *
 * @see https://www.tensorflow.org/api_docs/python/tf/raw_ops
 */
export class GraphBuilder {
  readonly #nodes: Buffer[] = [];

  /** Adds a node and returns its first output. `^node` among the inputs only orders execution. */
  add(
    operation: string,
    inputs: readonly Output[],
    attributes: Readonly<Record<string, Attribute>> = {},
    name = `${operation}_${this.#nodes.length}`,
  ): Output {
    const encoded = Object.entries(attributes).map(([key, value]) =>
      bytesField(5, Buffer.concat([bytesField(1, key), bytesField(2, value)])),
    );
    const node = [bytesField(1, name), bytesField(2, operation), ...inputs.map((input) => bytesField(3, input))];
    this.#nodes.push(bytesField(1, Buffer.concat([...node, ...encoded])));
    return name;
  }

  /** A float32 operation of one type parameter `T`. */
  float(operation: string, inputs: readonly Output[], attributes: Readonly<Record<string, Attribute>> = {}): Output {
    return this.add(operation, inputs, { T: float32, ...attributes });
  }

  placeholder(name: string, shape: Shape, dtype: DataType = DataType.float32): Output {
    return this.add('Placeholder', [], { dtype: attribute.type(dtype), shape: attribute.shape(shape) }, name);
  }

  scalar(value: number): Output {
    return this.floats([], [value]);
  }

  floats(shape: Shape, values: readonly number[]): Output {
    return this.add('Const', [], { dtype: float32, value: attribute.floatTensor(shape, values) });
  }

  integer(value: number): Output {
    return this.add('Const', [], { dtype: int32, value: attribute.integerTensor([], [value]) });
  }

  integers(values: readonly number[]): Output {
    return this.add('Const', [], { dtype: int32, value: attribute.integerTensor([values.length], values) });
  }

  /** `shape` may hold one -1: the size that is left. */
  reshape(input: Output, shape: Shape): Output {
    return this.float('Reshape', [input, this.integers(shape)], { Tshape: int32 });
  }

  shapeOf(input: Output): Output {
    return this.float('Shape', [input], { out_type: int32 });
  }

  matMul(a: Output, b: Output, transpose: { readonly a?: boolean; readonly b?: boolean } = {}): Output {
    return this.float('MatMul', [a, b], {
      transpose_a: attribute.boolean(transpose.a ?? false),
      transpose_b: attribute.boolean(transpose.b ?? false),
    });
  }

  /** Sum over all axes in `axes`, without keeping them. */
  sum(input: Output, axes: readonly number[]): Output {
    return this.float('Sum', [input, this.integers(axes)], { Tidx: int32, keep_dims: attribute.boolean(false) });
  }

  concat(inputs: readonly Output[]): Output {
    return this.float('ConcatV2', [...inputs, this.integer(0)], { N: attribute.integer(inputs.length), Tidx: int32 });
  }

  /** The part [begin, begin + length) of a vector. */
  slice(input: Output, begin: number, length: number): Output {
    return this.float('Slice', [input, this.integers([begin]), this.integers([length])], { Index: int32 });
  }

  /** A copy of `input` under a name that can be fetched, after the nodes in `after` ran. */
  identity(name: string, input: Output, after: readonly Output[] = []): Output {
    return this.add('Identity', [input, ...after.map((node) => `^${node}`)], { T: float32 }, name);
  }

  /** A resource that holds a float32 tensor of this shape between runs. */
  variable(name: string, shape: Shape): Output {
    const place = { container: attribute.string(''), shared_name: attribute.string(name) };
    return this.add('VarHandleOp', [], { dtype: float32, shape: attribute.shape(shape), ...place }, name);
  }

  read(variable: Output): Output {
    return this.add('ReadVariableOp', [variable], { dtype: float32 });
  }

  /** Adds the node that sets `variable`; returns its name, for `identity(…, after)`. */
  assign(variable: Output, value: Output): Output {
    return this.add('AssignVariableOp', [variable, value], { dtype: float32 });
  }

  /** The graph as a SavedModel protocol buffer with the tag `serve` and no variables of its own. */
  savedModel(): Buffer {
    const versions = bytesField(4, integerField(1, PRODUCER));
    const graph = Buffer.concat([...this.#nodes, versions]);
    const metaGraph = Buffer.concat([bytesField(1, bytesField(4, SERVE_TAG)), bytesField(2, graph)]);
    return Buffer.concat([integerField(1, 1), bytesField(2, metaGraph)]);
  }
}
