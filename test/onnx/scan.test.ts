import { describe, expect, it } from '@jest/globals';
import { isSaipError } from '../../contracts/errors.ts';
import { RandomStream } from '../../lib/ml/index.ts';
import { SCAN_LIMITS, scanModel } from '../../lib/onnx/scan/index.ts';
import {
  AttributeType,
  bytesOf,
  DataType,
  floats,
  forestModel,
  int,
  ints,
  plainModel,
  value,
  whole,
} from './support.ts';

const node = (changes: object) => plainModel({}, { node: [{ ...product, ...changes }] });
const product = { name: 'n', opType: 'MatMul', input: ['pixels', 'W'], output: ['scores'] };
const weights = floats('W', [4, 3], new Array<number>(12).fill(0));

type Refusal = 'MODEL_GRAPH_REFUSED' | 'MODEL_GRAPH_MALFORMED' | 'MODEL_GRAPH_TOO_LARGE';
type Hostile = [what: string, code: Refusal, field: string, model: Parameters<typeof bytesOf>[0]];

const hostile: Hostile[] = [
  ['an operator of its own', 'MODEL_GRAPH_REFUSED', 'n', node({ opType: 'RunShell' })],
  ['an operator named like a method', 'MODEL_GRAPH_REFUSED', 'n', node({ opType: 'constructor' })],
  ['a domain of its own', 'MODEL_GRAPH_REFUSED', 'n', node({ domain: 'com.evil' })],
  [
    'a domain of its own among the versions',
    'MODEL_GRAPH_REFUSED',
    'model.opset_import',
    plainModel({
      opsetImport: [
        { domain: '', version: 17 },
        { domain: 'com.evil', version: 1 },
      ],
    }),
  ],
  [
    'a version of the operators from the future',
    'MODEL_GRAPH_REFUSED',
    'model.opset_import',
    plainModel({ opsetImport: [{ domain: '', version: 99 }] }),
  ],
  [
    'two versions of the operators',
    'MODEL_GRAPH_MALFORMED',
    'model.opset_import',
    plainModel({
      opsetImport: [
        { domain: '', version: 13 },
        { domain: 'ai.onnx', version: 17 },
      ],
    }),
  ],
  ['an old format', 'MODEL_GRAPH_REFUSED', 'model.ir_version', plainModel({ irVersion: 3 })],
  ['no graph', 'MODEL_GRAPH_MALFORMED', 'model', plainModel({ graph: undefined })],
  [
    'control flow',
    'MODEL_GRAPH_REFUSED',
    'model.graph.node.attribute',
    node({ opType: 'If', attribute: [{ name: 'then_branch', type: AttributeType.GRAPH, g: { name: 'inner' } }] }),
  ],
  [
    'graphs inside an attribute',
    'MODEL_GRAPH_REFUSED',
    'model.graph.node.attribute',
    node({ attribute: [{ name: 'graphs', type: AttributeType.GRAPHS, graphs: [{ name: 'inner' }] }] }),
  ],
  ['training information', 'MODEL_GRAPH_REFUSED', 'model', plainModel({ trainingInfo: [{}] })],
  ['sparse initializers', 'MODEL_GRAPH_REFUSED', 'model.graph', plainModel({}, { sparseInitializer: [{}] })],
  [
    'external data by its location',
    'MODEL_GRAPH_REFUSED',
    'W',
    plainModel({}, { initializer: [{ ...weights, floatData: [], dataLocation: 1 }] }),
  ],
  [
    'external data by its path',
    'MODEL_GRAPH_REFUSED',
    'model.graph.tensor',
    plainModel({}, { initializer: [{ ...weights, externalData: [{ key: 'location', value: '../../etc/shadow' }] }] }),
  ],
  [
    'external data inside an attribute',
    'MODEL_GRAPH_REFUSED',
    'n',
    node({
      opType: 'Constant',
      input: [],
      attribute: [
        { name: 'value', type: AttributeType.TENSOR, t: { dataType: DataType.FLOAT, dims: [1], dataLocation: 1 } },
      ],
    }),
  ],
  [
    'an initializer that shadows the input',
    'MODEL_GRAPH_REFUSED',
    'pixels',
    plainModel({}, { initializer: [weights, floats('pixels', [1], [1])] }),
  ],
  ['two initializers of one name', 'MODEL_GRAPH_MALFORMED', 'W', plainModel({}, { initializer: [weights, weights] })],
  [
    'a tensor with fewer elements than it says',
    'MODEL_GRAPH_MALFORMED',
    'W',
    plainModel({}, { initializer: [floats('W', [4, 3], [1])] }),
  ],
  [
    'a tensor that would not fit',
    'MODEL_GRAPH_TOO_LARGE',
    'W',
    plainModel({}, { initializer: [floats('W', [2 ** 20, 2 ** 20], [])] }),
  ],
  [
    'a negative axis',
    'MODEL_GRAPH_MALFORMED',
    'W',
    plainModel({}, { initializer: [floats('W', [-4, -3], new Array<number>(12).fill(0))] }),
  ],
  [
    'too many axes',
    'MODEL_GRAPH_TOO_LARGE',
    'W',
    plainModel({}, { initializer: [floats('W', new Array<number>(9).fill(1), [0])] }),
  ],
  [
    'elements of a refused type',
    'MODEL_GRAPH_REFUSED',
    'W',
    plainModel({}, { initializer: [{ name: 'W', dims: [1], dataType: DataType.COMPLEX64 }] }),
  ],
  [
    'elements that are there twice',
    'MODEL_GRAPH_MALFORMED',
    'W',
    plainModel({}, { initializer: [{ ...weights, rawData: new Uint8Array(48) }] }),
  ],
  ['a value that nothing makes', 'MODEL_GRAPH_MALFORMED', 'n', node({ input: ['nowhere', 'W'] })],
  [
    'a value that is made twice',
    'MODEL_GRAPH_MALFORMED',
    'again',
    plainModel({}, { node: [product, { ...product, name: 'again' }] }),
  ],
  ['a node that reads itself', 'MODEL_GRAPH_MALFORMED', 'n', node({ input: ['scores', 'W'] })],
  [
    'an output that nothing makes',
    'MODEL_GRAPH_MALFORMED',
    'other',
    plainModel({}, { output: [value('other', ['batch', 3])] }),
  ],
  [
    'one of two inputs that holds more than a feature',
    'MODEL_GRAPH_REFUSED',
    'pixels',
    plainModel({}, { input: [value('pixels', ['b', 4]), value('more', ['b', 4])] }),
  ],
  [
    'an input of whole numbers',
    'MODEL_GRAPH_REFUSED',
    'pixels',
    plainModel({}, { input: [value('pixels', ['b', 4], DataType.INT64)] }),
  ],
  ['a fixed number of samples', 'MODEL_GRAPH_REFUSED', 'pixels', plainModel({}, { input: [value('pixels', [1, 4])] })],
  [
    'a shape that depends on the samples',
    'MODEL_GRAPH_REFUSED',
    'reshape',
    plainModel(
      {},
      {
        node: [
          {
            name: 'cast',
            opType: 'Cast',
            input: ['pixels'],
            output: ['shape'],
            attribute: [int('to', DataType.INT64)],
          },
          { name: 'reshape', opType: 'Reshape', input: ['pixels', 'shape'], output: ['scores'] },
        ],
      },
    ),
  ],
  ['a dropout that drops', 'MODEL_GRAPH_REFUSED', 'n', node({ opType: 'Dropout', input: ['pixels', 'W', 'W'] })],
  ['a name without end', 'MODEL_GRAPH_TOO_LARGE', 'n', node({ output: ['x'.repeat(5000)] })],
  ['a text without end', 'MODEL_GRAPH_TOO_LARGE', 'model', plainModel({ docString: 'x'.repeat(SCAN_LIMITS.text + 1) })],
  [
    'too many notes',
    'MODEL_GRAPH_TOO_LARGE',
    'model',
    plainModel({ metadataProps: Array.from({ length: 65 }, (_, i) => ({ key: String(i), value: '' })) }),
  ],
  [
    'too many nodes',
    'MODEL_GRAPH_TOO_LARGE',
    'model.graph',
    plainModel({}, { node: Array.from({ length: SCAN_LIMITS.nodes + 1 }, () => ({})) }),
  ],
  [
    'a tree that leads nowhere',
    'MODEL_GRAPH_MALFORMED',
    'forest',
    forestModel({ nodes_truenodeids: ints('nodes_truenodeids', [9, 0, 3, 0, 0]) }),
  ],
  [
    'a tree that leads round in a circle',
    'MODEL_GRAPH_MALFORMED',
    'forest',
    forestModel({ nodes_truenodeids: ints('nodes_truenodeids', [1, 0, 0, 0, 0]) }),
  ],
  [
    'a node with two parents',
    'MODEL_GRAPH_MALFORMED',
    'forest',
    forestModel({ nodes_falsenodeids: ints('nodes_falsenodeids', [1, 0, 4, 0, 0]) }),
  ],
  [
    'a leaf of a class that is not there',
    'MODEL_GRAPH_MALFORMED',
    'forest',
    forestModel({ class_ids: ints('class_ids', [0, 1, 7]) }),
  ],
  [
    'a leaf that is not there',
    'MODEL_GRAPH_MALFORMED',
    'forest',
    forestModel({ class_nodeids: ints('class_nodeids', [1, 3, 40]) }),
  ],
  [
    'a negative feature',
    'MODEL_GRAPH_MALFORMED',
    'forest',
    forestModel({ nodes_featureids: ints('nodes_featureids', [-1, 0, 1, 0, 0]) }),
  ],
  [
    'lists of nodes of different lengths',
    'MODEL_GRAPH_MALFORMED',
    'forest',
    forestModel({ nodes_featureids: ints('nodes_featureids', [0]) }),
  ],
];

describe('what is allowed', () => {
  it('reports what a network consists of', () => {
    expect(scanModel(bytesOf(plainModel())).report).toMatchObject({
      irVersion: 8,
      producer: 'a test',
      opsets: [{ domain: 'ai.onnx', version: 17 }],
      operators: [
        { domain: 'ai.onnx', name: 'MatMul', count: 1 },
        { domain: 'ai.onnx', name: 'Softmax', count: 1 },
      ],
      nodes: 2,
      tensors: 1,
      elements: 12,
      inputs: [{ name: 'pixels', type: 'float', shape: ['batch', 4] }],
      outputs: [{ name: 'scores', type: 'float', shape: ['batch', 3] }],
    });
  });

  it('takes a forest', () => {
    expect(scanModel(bytesOf(forestModel())).report.operators).toEqual([
      { domain: 'ai.onnx.ml', name: 'TreeEnsembleClassifier', count: 1 },
    ]);
  });

  it('takes shapes that depend on the number of samples', () => {
    const model = plainModel(
      {},
      {
        node: [
          { opType: 'Shape', input: ['pixels'], output: ['all'] },
          { opType: 'Gather', input: ['all', 'first'], output: ['batch'] },
          { opType: 'Concat', input: ['batch', 'four'], output: ['shape'], attribute: [int('axis', 0)] },
          { opType: 'Reshape', input: ['pixels', 'shape'], output: ['scores'] },
        ],
        initializer: [whole('first', [0]), whole('four', [4])],
      },
    );
    expect(scanModel(bytesOf(model)).report.nodes).toBe(4);
  });
});

describe('what is refused', () => {
  it.each(hostile)('%s', (_, code, field, model) => {
    expect(() => scanModel(bytesOf(model))).toThrow(expect.objectContaining({ code, field }));
  });

  it('fields that this platform does not know', () => {
    // Field 99 of the model, of wire type 2 and length 0.
    const bytes = Buffer.concat([bytesOf(plainModel()), Buffer.from([0x9a, 0x06, 0x00])]);
    expect(() => scanModel(bytes)).toThrow(expect.objectContaining({ code: 'MODEL_GRAPH_REFUSED', field: 'model' }));
  });

  it('functions of the file’s own', () => {
    // Field 25, which the decoder would pass over and ONNX Runtime would not.
    const bytes = Buffer.concat([bytesOf(plainModel()), Buffer.from([0xca, 0x01, 0x00])]);
    expect(() => scanModel(bytes)).toThrow(expect.objectContaining({ message: expect.stringContaining('functions') }));
  });

  it('messages inside messages without end', () => {
    // A type of a sequence of a sequence of …
    let type: Buffer = Buffer.alloc(0);
    for (let depth = 0; depth < 5000; depth += 1) type = field(depth % 2 === 0 ? 1 : 4, type);
    const bytes = Buffer.concat([bytesOf(plainModel()), field(7, field(13, field(2, type)))]);
    expect(() => scanModel(bytes)).toThrow(expect.objectContaining({ code: 'MODEL_GRAPH_TOO_LARGE' }));
  });

  it('control characters never reach a message', () => {
    expect(() => scanModel(bytesOf(node({ name: '\u001b[31mred', opType: 'Evil' })))).toThrow(
      expect.objectContaining({ field: '·[31mred' }),
    );
  });
});

describe('files that are no models', () => {
  const seeds = Array.from({ length: 200 }, (_, seed) => seed);
  const valid = [bytesOf(plainModel()), bytesOf(forestModel())];

  /** Whatever the bytes are: a typed refusal, or a model that passes. */
  function judged(bytes: Uint8Array): string {
    try {
      scanModel(bytes);
      return 'allowed';
    } catch (error) {
      if (!isSaipError(error)) throw error;
      return error.code;
    }
  }

  it('random bytes are refused', () => {
    for (const seed of seeds) {
      const stream = new RandomStream('random file', seed);
      const bytes = Uint8Array.from({ length: 1 + stream.below(400) }, () => stream.below(256));
      expect(judged(bytes)).toMatch(/^MODEL_GRAPH_/);
    }
  });

  it('files that are cut off are refused, or are whole as far as they go', () => {
    for (const bytes of valid) {
      for (let length = 0; length < bytes.length; length += 1) {
        expect(judged(bytes.subarray(0, length))).toMatch(/^MODEL_GRAPH_|^allowed$/);
      }
    }
  });

  it('changed bytes end in a typed answer', () => {
    for (const seed of seeds) {
      const stream = new RandomStream('changed file', seed);
      const bytes = Uint8Array.from(valid[seed % 2] ?? []);
      for (let change = 0; change < 4; change += 1) bytes[stream.below(bytes.length)] = stream.below(256);
      expect(judged(bytes)).toMatch(/^MODEL_GRAPH_|^allowed$/);
    }
  });
});

/** A length-delimited field. */
function field(number: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([...varint(number * 8 + 2), ...varint(content.length)]), content]);
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
}
