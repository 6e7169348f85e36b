import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readSafetensors, writeSafetensors } from '../../lib/ml/index.ts';

const shape = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 });
const tensor = shape.chain((dimensions) => {
  const length = dimensions.reduce((a, b) => a * b, 1);
  return fc
    .array(fc.float({ noNaN: true }), { minLength: length, maxLength: length })
    .map((values) => ({ shape: dimensions, data: Float32Array.from(values) }));
});
const names = fc.string({ minLength: 1 }).filter((name) => name !== '__metadata__' && name !== '__proto__');
const strings = fc.dictionary(names, fc.string(), { noNullPrototype: true });

/** A file with this header (text or object) and this much data. */
function file(header: unknown, dataBytes = 0): Uint8Array {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, Buffer.alloc(dataBytes)]);
}

describe('safetensors', () => {
  it('gives back what was written', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(names, tensor), { maxLength: 5 }), strings, (entries, metadata) => {
        const tensors = new Map(entries);
        const read = readSafetensors(writeSafetensors(tensors, metadata));
        expect(read.metadata).toEqual(metadata);
        expect(new Map([...read.tensors].sort())).toEqual(new Map([...tensors].sort()));
      }),
    );
  });

  it('reads a Buffer that starts inside a shared pool', () => {
    const tensors = new Map([['a', { shape: [2], data: Float32Array.of(1, 2) }]]);
    expect(readSafetensors(Buffer.from(writeSafetensors(tensors))).tensors).toEqual(tensors);
  });

  it('writes equal bytes for equal content, whatever the order', () => {
    const a = { shape: [2], data: Float32Array.of(1, 2) };
    const b = { shape: [], data: Float32Array.of(3) };
    const one = writeSafetensors(
      new Map([
        ['a', a],
        ['b', b],
      ]),
      { x: '1', y: '2' },
    );
    const other = writeSafetensors(
      new Map([
        ['b', b],
        ['a', a],
      ]),
      { y: '2', x: '1' },
    );
    expect(Buffer.from(one).equals(Buffer.from(other))).toBe(true);
  });

  it('lays out the bytes of the published format', () => {
    const bytes = writeSafetensors(new Map([['w', { shape: [1, 2], data: Float32Array.of(1, -1) }]]));
    const headerLength = Number(Buffer.from(bytes).readBigUInt64LE());
    expect((8 + headerLength) % 8).toBe(0);
    const header = Buffer.from(bytes.subarray(8, 8 + headerLength)).toString();
    expect(header.trimEnd()).toBe('{"w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}');
    expect([...bytes.subarray(8 + headerLength)]).toEqual([0, 0, 128, 63, 0, 0, 128, 191]);
  });

  const entry = (begin: number, end: number, shape = [1], dtype = 'F32'): object => ({
    dtype,
    shape,
    data_offsets: [begin, end],
  });
  it.each([
    ['an empty file', new Uint8Array(0), 'header'],
    ['a header longer than the file', Buffer.concat([Buffer.alloc(7, 255), Buffer.alloc(9)]), 'header'],
    ['a header that is not JSON', file('{"a":'), 'header'],
    ['a header that is no object', file('[]'), 'header'],
    ['another dtype', file({ a: entry(0, 2, [1], 'F16') }, 2), 'a'],
    ['a negative dimension', file({ a: entry(0, 4, [-1]) }, 4), 'a'],
    ['overlapping tensors', file({ a: entry(0, 4), b: entry(2, 6) }, 6), 'b'],
    ['a gap', file({ a: entry(0, 4), b: entry(8, 12) }, 12), 'b'],
    ['a shape that does not fit', file({ a: entry(0, 4, [2]) }, 4), 'a'],
    ['missing data', file({ a: entry(0, 4) }, 3), 'a'],
    ['data nobody claims', file({ a: entry(0, 4) }, 5), 'data'],
    ['metadata that are not strings', file({ __metadata__: { a: 1 } }), '__metadata__'],
  ])('refuses %s', (_name, bytes, field) => {
    expect(() => readSafetensors(bytes)).toThrow(expect.objectContaining({ code: 'WEIGHTS_INVALID', field }));
  });
});
