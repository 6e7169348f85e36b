import onnxProto from 'onnx-proto';
import type { onnx as Onnx } from 'onnx-proto';
import { OnnxError } from './errors.ts';

const { onnx } = onnxProto;
const { DataType } = onnx.TensorProto;
const { AttributeType } = onnx.AttributeProto;

/** The opset of ONNX 1.8, with its IR version; every runtime of the last years reads them. */
const OPSET_VERSION = 13;
const IR_VERSION = 7;
/** Version of each domain beside the standard one that a graph may use; of the same ONNX. */
const DOMAIN_VERSIONS: Readonly<Record<string, number>> = { 'ai.onnx.ml': 2 };
const BATCH = 'batch';

const ELEMENT_TYPES = { float32: DataType.FLOAT, int64: DataType.INT64, string: DataType.STRING } as const;
export type ElementType = keyof typeof ELEMENT_TYPES;

export type AttributeValue = number | readonly number[] | readonly string[];

/** A named value of the graph: an output of a node, an initializer or the input. */
export type ValueName = string;

export interface ModelHeader {
  readonly name: string;
  readonly description: string;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface GraphParts {
  readonly nodes: readonly Onnx.INodeProto[];
  readonly initializers: readonly Onnx.ITensorProto[];
  readonly inputs: readonly Onnx.IValueInfoProto[];
  /** Domains beside the standard one, each with the least version that its nodes need. */
  readonly domains: readonly (readonly [domain: string, version: number])[];
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
  readonly #domains = new Set<string>();
  readonly #names = new Set<string>();

  /** Declares an input of one batch axis and `shape`. @throws OnnxError EXPORT_UNSUPPORTED for a name that is taken */
  input(name: string, shape: readonly number[], type: ElementType = 'float32'): ValueName {
    this.#inputs.push(valueInfo(this.#claim(name), ELEMENT_TYPES[type], shape));
    return name;
  }

  /** Declares an output that a node named `name` has made. */
  output(name: ValueName, type: ElementType, shape: readonly number[]): void {
    this.#outputs.push(valueInfo(name, ELEMENT_TYPES[type], shape));
  }

  /** @throws OnnxError EXPORT_UNSUPPORTED for a name that is taken */
  constant(name: string, shape: readonly number[], data: Float32Array): ValueName {
    this.#claim(name);
    const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    this.#initializers.push({ name, dims: [...shape], dataType: DataType.FLOAT, rawData });
    return name;
  }

  /**
   * Adds an operator with one output.
   *
   * @returns the output's name: `output`, or the operator's with a running number
   * @throws OnnxError EXPORT_UNSUPPORTED for a name that is taken
   */
  node(
    opType: string,
    inputs: readonly ValueName[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
    { output, domain = '' }: { readonly output?: ValueName; readonly domain?: string } = {},
  ): ValueName {
    const name = this.#claim(output ?? this.#free(`${opType.toLowerCase()}_${this.#nodes.length}`));
    const attribute = Object.entries(attributes).map(([key, value]) => attributeOf(key, value));
    if (domain !== '') this.#domains.add(domain);
    this.#nodes.push({ opType, name, input: [...inputs], output: [name], attribute, ...(domain !== '' && { domain }) });
    return name;
  }

  /** What was collected, to be put into another graph. */
  get parts(): GraphParts {
    return {
      nodes: [...this.#nodes],
      initializers: [...this.#initializers],
      inputs: [...this.#inputs],
      domains: [...this.#domains].map((domain) => [domain, DOMAIN_VERSIONS[domain] ?? 1] as const),
    };
  }

  /** The serialised ModelProto. */
  build(header: ModelHeader): Uint8Array {
    const metadata = Object.entries(header.metadata).sort(([a], [b]) => (a < b ? -1 : 1));
    return onnx.ModelProto.encode({
      irVersion: IR_VERSION,
      opsetImport: [
        { domain: '', version: OPSET_VERSION },
        ...[...this.#domains].map((domain) => ({ domain, version: DOMAIN_VERSIONS[domain] })),
      ],
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

  /** Inputs are named by whoever named the columns of a table, so a name may be taken. */
  #claim(name: string): string {
    if (!this.#names.has(name)) {
      this.#names.add(name);
      return name;
    }
    throw new OnnxError('EXPORT_UNSUPPORTED', `two values of the graph would be named "${name}"`, { field: name });
  }

  #free(name: string): string {
    return this.#names.has(name) ? this.#free(`${name}_`) : name;
  }
}

function attributeOf(name: string, value: AttributeValue): Onnx.IAttributeProto {
  if (typeof value === 'number') return { name, type: AttributeType.INT, i: value };
  if (value.every((entry) => typeof entry === 'number')) return { name, type: AttributeType.INTS, ints: [...value] };
  return { name, type: AttributeType.STRINGS, strings: value.map((entry) => Buffer.from(String(entry))) };
}

function valueInfo(name: string, elemType: number, shape: readonly number[]): Onnx.IValueInfoProto {
  const dim = [{ dimParam: BATCH }, ...shape.map((dimValue) => ({ dimValue }))];
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}
