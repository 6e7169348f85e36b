import type { TypedArray } from '../tensors.ts';

interface ArrayConstructor<A extends TypedArray> {
  new (length: number): A;
  new (buffer: ArrayBuffer, byteOffset: number, length: number): A;
  readonly BYTES_PER_ELEMENT: number;
}

const SLAB_BYTES = 256 * 1024;
/** Longer arrays have memory of their own. */
const LARGEST_BYTES = 16 * 1024;
/** The alignment of the widest element. */
const ALIGNMENT = 8;

let slab = new ArrayBuffer(0);
let used = 0;

/**
 * An array of zeros. Small ones lie side by side in a larger buffer, each part of which is given away once: to allocate,
 * track and free a buffer for each tensor would cost more than to fill it.
 */
export function roomFor<A extends TypedArray>(kind: ArrayConstructor<A>, length: number): A {
  const bytes = length * kind.BYTES_PER_ELEMENT;
  if (bytes > LARGEST_BYTES) return new kind(length);
  if (used + bytes > slab.byteLength) {
    slab = new ArrayBuffer(SLAB_BYTES);
    used = 0;
  }
  const at = used;
  used = Math.ceil((at + bytes) / ALIGNMENT) * ALIGNMENT;
  return new kind(slab, at, length);
}
