import { readFileSync } from 'node:fs';
import type { PreparedManifest } from '../../../contracts/prepared-data.ts';
import type { Feed } from '../native/session.ts';

/** Where the two files of a split lie; the caller verified them. */
export interface SplitFiles {
  readonly x: string;
  readonly y: string;
}

/** The samples and labels of one split, in memory. */
export class Samples {
  readonly count: number;
  readonly #size: number;
  readonly #fed: PreparedManifest['input']['dtype'];
  readonly #x: Float32Array | Uint8Array;
  readonly #y: Int32Array;

  /** @param fed type of the samples in feeds: bytes may be fed as float32 */
  constructor(input: PreparedManifest['input'], files: SplitFiles, fed = input.dtype) {
    this.#fed = fed;
    this.#size = input.shape.reduce((product, length) => product * length, 1);
    const x = readFileSync(files.x);
    this.#x = input.dtype === 'uint8' ? new Uint8Array(x) : new Float32Array(aligned(x));
    this.#y = new Int32Array(aligned(readFileSync(files.y)));
    this.count = this.#y.length;
    if (this.#x.length !== this.count * this.#size) throw new RangeError('samples and labels differ in number');
  }

  /** The samples at `indices`, as the graph's `samples` and `labels`. */
  feed(indices: Uint32Array): { samples: Feed; labels: Feed } {
    const size = this.#size;
    const length = indices.length * size;
    const x = this.#fed === 'uint8' ? new Uint8Array(length) : new Float32Array(length);
    const y = new Int32Array(indices.length);
    indices.forEach((index, position) => {
      x.set(this.#x.subarray(index * size, (index + 1) * size), position * size);
      y[position] = this.#y[index] as number;
    });
    return { samples: { shape: [indices.length, size], data: x }, labels: { shape: [indices.length], data: y } };
  }
}

/** A copy that starts at the beginning of its buffer: views of four-byte numbers must be aligned. */
function aligned(bytes: Buffer): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
