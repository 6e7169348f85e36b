import { OnnxError } from '../errors.ts';
import { SCAN_LIMITS } from './limits.ts';

/** Messages of onnx.proto3 that are told apart. */
type Kind =
  | 'model'
  | 'opset'
  | 'entry'
  | 'graph'
  | 'node'
  | 'attribute'
  | 'tensor'
  | 'value'
  | 'type'
  | 'tensorType'
  | 'sequenceType'
  | 'mapType'
  | 'shape'
  | 'dimension';

/** What a field holds: a message, text, raw bytes, one number, or numbers that may be packed (of so many bytes each). */
type Field = Kind | 'text' | 'bytes' | 'number' | 'varints' | 'fixed4' | 'fixed8' | 'texts' | 'refused' | 'dropped';

/**
 * Fields by number (onnx/onnx.proto3 of ONNX 1.19). What is not listed is refused: nothing that this scan does not know
 * reaches a reader that might. `dropped` fields are notes of exporters; they are bounded by the file and not kept.
 */
const FIELDS: Readonly<Record<Kind, Readonly<Record<number, Field>>>> = {
  model: {
    ...{ 1: 'number', 2: 'text', 3: 'text', 4: 'text', 5: 'number', 6: 'text', 7: 'graph', 8: 'opset', 14: 'entry' },
    ...{ 20: 'refused', 25: 'refused', 26: 'refused' },
  },
  opset: { 1: 'text', 2: 'number' },
  entry: { 1: 'text', 2: 'text' },
  graph: {
    ...{ 1: 'node', 2: 'text', 5: 'tensor', 10: 'text', 11: 'value', 12: 'value', 13: 'value' },
    ...{ 14: 'refused', 15: 'refused', 16: 'dropped' },
  },
  node: {
    ...{ 1: 'texts', 2: 'texts', 3: 'text', 4: 'text', 5: 'attribute', 6: 'text', 7: 'text' },
    ...{ 8: 'refused', 9: 'dropped', 10: 'refused' },
  },
  attribute: {
    ...{ 1: 'text', 2: 'number', 3: 'number', 4: 'text', 5: 'tensor', 6: 'refused', 7: 'fixed4', 8: 'varints' },
    ...{ 9: 'texts', 10: 'tensor', 11: 'refused', 13: 'text', 14: 'refused', 15: 'refused', 20: 'number' },
    ...{ 21: 'refused', 22: 'refused', 23: 'refused' },
  },
  tensor: {
    ...{ 1: 'varints', 2: 'number', 3: 'refused', 4: 'fixed4', 5: 'varints', 6: 'texts', 7: 'varints', 8: 'text' },
    ...{ 9: 'bytes', 10: 'fixed8', 11: 'varints', 12: 'text', 13: 'refused', 14: 'number', 16: 'dropped' },
  },
  value: { 1: 'text', 2: 'type', 3: 'text', 4: 'dropped' },
  type: { 1: 'tensorType', 4: 'sequenceType', 5: 'mapType', 6: 'text', 8: 'refused', 9: 'refused' },
  tensorType: { 1: 'number', 2: 'shape' },
  sequenceType: { 1: 'type' },
  mapType: { 1: 'number', 2: 'type' },
  shape: { 1: 'dimension' },
  dimension: { 1: 'number', 2: 'text', 3: 'text' },
};

const REFUSED: Readonly<Record<string, string>> = {
  'model.20': 'training information',
  'model.25': 'functions of its own',
  'model.26': 'a device configuration',
  'graph.14': 'quantisation annotations',
  'graph.15': 'sparse initializers',
  'node.8': 'an overload of a function',
  'node.10': 'a device configuration',
  'attribute.6': 'a graph as an attribute (control flow)',
  'attribute.11': 'graphs as an attribute (control flow)',
  'attribute.14': 'a type as an attribute',
  'attribute.15': 'types as an attribute',
  'attribute.21': 'a reference to an attribute of a function',
  'attribute.22': 'a sparse tensor',
  'attribute.23': 'sparse tensors',
  'tensor.3': 'a segmented tensor',
  'tensor.13': 'external data',
  'type.8': 'a sparse type',
  'type.9': 'an optional type',
};

const COUNTED = {
  node: 'nodes',
  tensor: 'tensors',
  attribute: 'attributes',
  value: 'nodes',
  entry: 'metadata',
} as const;

type Counter = 'nodes' | 'tensors' | 'attributes' | 'numbers' | 'strings' | 'metadata';

/**
 * Walks over the fields of a serialised ModelProto without decoding it, so that the decoder is never given more
 * messages, numbers or levels than it can hold, nor a field that this platform has no opinion on.
 * Encoding: https://protobuf.dev/programming-guides/encoding/
 *
 * @throws OnnxError MODEL_GRAPH_MALFORMED, MODEL_GRAPH_TOO_LARGE, MODEL_GRAPH_REFUSED; `field` is the place in the file
 */
export function walk(bytes: Uint8Array): void {
  new Walker(bytes).message('model', { at: 0, end: bytes.length, depth: 0, path: 'model' });
}

interface Span {
  readonly at: number;
  readonly end: number;
  readonly depth: number;
  /** `model.graph`, for messages. */
  readonly path: string;
}

class Walker {
  readonly #bytes: Uint8Array;
  readonly #counts: Record<Counter, number> = {
    nodes: 0,
    tensors: 0,
    attributes: 0,
    numbers: 0,
    strings: 0,
    metadata: 0,
  };
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  message(kind: Kind, { at, end, depth, path }: Span): void {
    if (depth > SCAN_LIMITS.depth) throw tooLarge(path, `messages nest deeper than ${SCAN_LIMITS.depth}`);
    this.#at = at;
    while (this.#at < end) {
      const key = this.#varint(end, path);
      const number = Math.floor(key / 8);
      const wire = key % 8;
      const field = FIELDS[kind][number];
      if (field === undefined) throw refused(path, `field ${number} is not known`);
      if (field === 'refused') throw refused(path, `${REFUSED[`${kind}.${number}`] ?? 'this'} is not allowed`);
      if (wire === 2) this.#delimited(field, { end, depth, path });
      else this.#scalar(field, wire, { end, path });
    }
    if (this.#at !== end) throw malformed(path, 'a message ends in the middle of a field');
  }

  #delimited(field: Field, { end, depth, path }: Omit<Span, 'at'>): void {
    const length = this.#varint(end, path);
    const begin = this.#at;
    const stop = begin + length;
    if (stop > end) throw malformed(path, 'a field is longer than what holds it');
    if (field === 'number') throw malformed(path, 'a number is written as bytes');
    if (field === 'text' && length > SCAN_LIMITS.text) throw tooLarge(path, `a text of ${length} bytes`);
    if (field === 'texts') {
      if (length > SCAN_LIMITS.text) throw tooLarge(path, `a text of ${length} bytes`);
      this.#count('strings', 1, path);
    } else if (field === 'fixed4' || field === 'fixed8') {
      this.#count('numbers', length / (field === 'fixed4' ? 4 : 8), path);
    } else if (field === 'varints') {
      this.#count('numbers', this.#ends(begin, stop), path);
    } else if (field in FIELDS) {
      const kind = field as Kind;
      if (kind in COUNTED) this.#count(COUNTED[kind as keyof typeof COUNTED], 1, path);
      this.message(kind, { at: begin, end: stop, depth: depth + 1, path: `${path}.${kind}` });
    }
    this.#at = stop;
  }

  #scalar(field: Field, wire: number, { end, path }: Pick<Span, 'end' | 'path'>): void {
    if (!['number', 'varints', 'fixed4', 'fixed8', 'dropped'].includes(field)) {
      throw malformed(path, `a field of wire type ${wire} where a message or text belongs`);
    }
    if (wire === 0) this.#varint(end, path);
    else if (wire === 5) this.#at += 4;
    else if (wire === 1) this.#at += 8;
    else throw malformed(path, `wire type ${wire}`);
    if (this.#at > end) throw malformed(path, 'a number ends behind what holds it');
    if (field !== 'number' && field !== 'dropped') this.#count('numbers', 1, path);
  }

  /** Whole numbers up to 2^53; longer ones are values, whose size does not matter here. */
  #varint(end: number, path: string): number {
    let value = 0;
    for (let shift = 0; shift < 10; shift += 1) {
      if (this.#at >= end) throw malformed(path, 'a number is cut off');
      const byte = this.#bytes[this.#at] as number;
      this.#at += 1;
      value += (byte & 0x7f) * 2 ** (7 * shift);
      if (byte < 0x80) return value;
    }
    throw malformed(path, 'a number is longer than ten bytes');
  }

  /** Packed varints: each ends with a byte below 128. */
  #ends(begin: number, stop: number): number {
    let count = 0;
    for (let i = begin; i < stop; i += 1) if ((this.#bytes[i] as number) < 0x80) count += 1;
    return count;
  }

  #count(what: Counter, by: number, path: string): void {
    this.#counts[what] += by;
    if (this.#counts[what] > SCAN_LIMITS[what]) throw tooLarge(path, `more than ${SCAN_LIMITS[what]} ${what}`);
  }
}

function malformed(field: string, why: string): OnnxError {
  return new OnnxError('MODEL_GRAPH_MALFORMED', `${field}: ${why}`, { field });
}

function tooLarge(field: string, why: string): OnnxError {
  return new OnnxError('MODEL_GRAPH_TOO_LARGE', `${field}: ${why}`, { field });
}

function refused(field: string, why: string): OnnxError {
  return new OnnxError('MODEL_GRAPH_REFUSED', `${field}: ${why}`, { field });
}
