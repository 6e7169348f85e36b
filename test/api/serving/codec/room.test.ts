import { describe, expect, it } from '@jest/globals';
import { roomFor } from '../../../../api/serving/codec/room.ts';
import { apart } from '../../../../api/serving/tensors.ts';

describe('roomFor', () => {
  it('gives zeros that nobody else has, whatever the kinds and lengths', () => {
    const given = Array.from({ length: 3_000 }, (_, index) =>
      [Uint8Array, Float32Array, Float64Array, BigInt64Array].map((kind) =>
        roomFor<Uint8Array>(kind as never, index % 97),
      ),
    ).flat();
    for (const array of given) expect([...array].every((value) => Number(value) === 0)).toBe(true);
    for (const array of given) new Uint8Array(array.buffer, array.byteOffset, array.byteLength).fill(1);
    const after = roomFor(Float64Array, 100);
    expect([...after]).toEqual(new Array(100).fill(0));
  });

  it('gives long arrays a buffer of their own', () => {
    const long = roomFor(Float32Array, 5_000);
    expect(long.buffer.byteLength).toBe(20_000);
    expect(roomFor(Float32Array, 10).buffer.byteLength).toBeGreaterThan(40);
  });
});

describe('apart', () => {
  it('copies what shares a buffer, so that the buffer stays where it is', () => {
    const shared = roomFor(Float32Array, 2);
    shared.set([1, 2]);
    const own = Float32Array.of(3);
    const tensors = {
      shared: { type: 'float32', data: shared, dims: [2] },
      own: { type: 'float32', data: own, dims: [1] },
      text: { type: 'string', data: ['a'], dims: [1] },
    } as const;
    const moved = apart(tensors);
    expect(moved).toEqual(tensors);
    expect((moved['shared']?.data as Float32Array).buffer.byteLength).toBe(8);
    expect(moved['own']?.data).toBe(own);
  });
});
