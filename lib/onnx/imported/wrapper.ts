import onnxProto from 'onnx-proto';
import type { onnx as Onnx } from 'onnx-proto';
import type { ModelCard } from '../../../contracts/import-model.ts';
import { OUTPUTS } from '../signature.ts';

const { onnx } = onnxProto;
const { DataType } = onnx.TensorProto;
const { AttributeType } = onnx.AttributeProto;

interface FeedOptions {
  readonly card: ModelCard;
  /** Of what is fed: one sample, or the encoded entries of a row. */
  readonly shape: readonly number[];
  readonly double: boolean;
  /** Value that the imported graph reads. */
  readonly target: string;
}

interface ReadOptions {
  readonly kind: ModelCard['output']['kind'];
  /** Order of the columns, where it is to change. */
  readonly columns: readonly number[] | undefined;
  readonly double: boolean;
  /** A quantity of the shape [batch]. */
  readonly flat: boolean;
}

/** A column of a table, and what the imported graph reads of it. */
export interface FedColumn {
  readonly name: string;
  readonly target: string;
  /** Type of the element that the graph takes; absent for strings, which stay what they are. */
  readonly cast?: number | undefined;
}

/** The few nodes round an imported graph. They mean the same in every version of the operators that is read. */
export class WrapperNodes {
  readonly constants: Onnx.ITensorProto[] = [];
  #made = 0;

  /** From the columns of a table [batch, 1] to the inputs of the same names. */
  feedColumns(columns: readonly FedColumn[]): Onnx.INodeProto[] {
    return columns.map(({ name, target, cast }) => ({
      opType: cast === undefined ? 'Identity' : 'Cast',
      name: this.#name('fed'),
      ...{ input: [name], output: [target], attribute: cast === undefined ? [] : [int('to', cast)] },
    }));
  }

  /** From raw samples [batch, ...shape] to what the graph takes. */
  feed(input: string, { card, shape, double, target }: FeedOptions): Onnx.INodeProto[] {
    const { layout, scale, offset } = card.input;
    const nodes: Onnx.INodeProto[] = [];
    let value = input;
    const then = (opType: string, others: string[] = [], attribute: Onnx.IAttributeProto[] = []): void => {
      const output = this.#name(opType);
      nodes.push({ opType, name: output, input: [value, ...others], output: [output], attribute });
      value = output;
    };
    // In the platform's order channels are last, so that one entry a channel fits.
    if (scale.some((factor) => factor !== 1)) then('Mul', [this.#floats('scale', scale)]);
    if (offset.some((shift) => shift !== 0)) then('Add', [this.#floats('offset', offset)]);
    if (layout === 'channels-first') then('Transpose', [], [ints('perm', [0, 3, 1, 2])]);
    if (layout === 'flat' && shape.length > 1) {
      const features = shape.reduce((product, size) => product * size, 1);
      then('Reshape', [this.#whole('features', [-1, features])]);
    }
    const type = double ? DataType.DOUBLE : DataType.FLOAT;
    nodes.push({ opType: 'Cast', name: 'wrapper/fed', input: [value], output: [target], attribute: [int('to', type)] });
    return nodes;
  }

  /** From the graph's scores [batch, classes] to the platform's outputs. */
  read(scores: string, { kind, columns, double, flat }: ReadOptions): Onnx.INodeProto[] {
    const nodes: Onnx.INodeProto[] = [];
    let value = scores;
    if (double) {
      const output = this.#name('Cast');
      nodes.push({
        opType: 'Cast',
        name: output,
        input: [value],
        output: [output],
        attribute: [int('to', DataType.FLOAT)],
      });
      value = output;
    }
    if (columns !== undefined) {
      const output = this.#name('Gather');
      const order = this.#whole('columns', columns);
      nodes.push({
        opType: 'Gather',
        name: output,
        input: [value, order],
        output: [output],
        attribute: [int('axis', 1)],
      });
      value = output;
    }
    if (kind === 'quantity') {
      const opType = flat ? 'Reshape' : 'Identity';
      const input = [value, ...(flat ? [this.#whole('quantity', [-1, 1])] : [])];
      return [...nodes, { opType, name: OUTPUTS.prediction, input, output: [OUTPUTS.prediction] }];
    }
    const last = kind === 'logits' ? 'Softmax' : 'Identity';
    const probabilities = OUTPUTS.probabilities;
    nodes.push({
      ...{ opType: last, name: probabilities, input: [value], output: [probabilities] },
      attribute: kind === 'logits' ? [int('axis', 1)] : [],
    });
    // Of the scores, not of their softmax: rounding may make two of those equal.
    nodes.push({
      ...{ opType: 'ArgMax', name: OUTPUTS.label, input: [value], output: [OUTPUTS.label] },
      attribute: [int('axis', 1), int('keepdims', 0)],
    });
    return nodes;
  }

  #name(opType: string): string {
    this.#made += 1;
    return `wrapper/${opType.toLowerCase()}_${this.#made}`;
  }

  #floats(name: string, values: readonly number[]): string {
    const data = Float32Array.from(values);
    const rawData = new Uint8Array(data.buffer);
    this.constants.push({ name: `wrapper/${name}`, dims: [values.length], dataType: DataType.FLOAT, rawData });
    return `wrapper/${name}`;
  }

  #whole(name: string, values: readonly number[]): string {
    const rawData = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    this.constants.push({ name: `wrapper/${name}`, dims: [values.length], dataType: DataType.INT64, rawData });
    return `wrapper/${name}`;
  }
}

function int(name: string, i: number): Onnx.IAttributeProto {
  return { name, type: AttributeType.INT, i };
}

function ints(name: string, values: readonly number[]): Onnx.IAttributeProto {
  return { name, type: AttributeType.INTS, ints: [...values] };
}
