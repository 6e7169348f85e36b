import onnxProto from 'onnx-proto';
import type { onnx as Onnx } from 'onnx-proto';

const { onnx } = onnxProto;
const { DataType } = onnx.TensorProto;
const { AttributeType } = onnx.AttributeProto;

/** The opset of ONNX 1.8, with its IR version; every runtime of the last years reads them. */
const OPSET_VERSION = 13;
const IR_VERSION = 7;
const BATCH = 'batch';

/** A named value of the graph: an output of a node, an initializer or the input. */
export type ValueName = string;

export interface ModelHeader {
  readonly name: string;
  readonly description: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Collects nodes and constants in the order they are added and writes them as an ONNX model. Names are counted, so
 * equal calls give equal bytes.
 */
export class GraphBuilder {
  readonly #nodes: Onnx.INodeProto[] = [];
  readonly #initializers: Onnx.ITensorProto[] = [];
  readonly #inputs: Onnx.IValueInfoProto[] = [];
  readonly #outputs: Onnx.IValueInfoProto[] = [];

  /** Declares a float32 input of one batch axis and `shape`. */
  input(name: string, shape: readonly number[]): ValueName {
    this.#inputs.push(valueInfo(name, DataType.FLOAT, shape));
    return name;
  }

  /** Declares an output that a node named `name` has made. */
  output(name: ValueName, type: 'float32' | 'int64', shape: readonly number[]): void {
    this.#outputs.push(valueInfo(name, type === 'float32' ? DataType.FLOAT : DataType.INT64, shape));
  }

  constant(name: string, shape: readonly number[], data: Float32Array): ValueName {
    const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    this.#initializers.push({ name, dims: [...shape], dataType: DataType.FLOAT, rawData });
    return name;
  }

  /** Adds an operator with one output. @returns the output's name: `output`, or the operator's with a running number */
  node(
    opType: string,
    inputs: readonly ValueName[],
    attributes: Readonly<Record<string, number | readonly number[]>> = {},
    output?: ValueName,
  ): ValueName {
    const name = output ?? `${opType.toLowerCase()}_${this.#nodes.length}`;
    const attribute = Object.entries(attributes).map(([key, value]) =>
      typeof value === 'number'
        ? { name: key, type: AttributeType.INT, i: value }
        : { name: key, type: AttributeType.INTS, ints: [...value] },
    );
    this.#nodes.push({ opType, name, input: [...inputs], output: [name], attribute });
    return name;
  }

  /** The serialised ModelProto. */
  build(header: ModelHeader): Uint8Array {
    const metadata = Object.entries(header.metadata).sort(([a], [b]) => (a < b ? -1 : 1));
    return onnx.ModelProto.encode({
      irVersion: IR_VERSION,
      opsetImport: [{ domain: '', version: OPSET_VERSION }],
      producerName: 'secure-ai-platform',
      docString: header.description,
      metadataProps: metadata.map(([key, value]) => ({ key, value })),
      graph: {
        name: header.name,
        node: this.#nodes,
        initializer: this.#initializers,
        input: this.#inputs,
        output: this.#outputs,
      },
    }).finish();
  }
}

function valueInfo(name: string, elemType: number, shape: readonly number[]): Onnx.IValueInfoProto {
  const dim = [{ dimParam: BATCH }, ...shape.map((dimValue) => ({ dimValue }))];
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}
