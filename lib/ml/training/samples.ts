import { readFileSync } from 'node:fs';
import { columnsOf, regressionOf } from '../../../contracts/prepared-data.ts';
import type { PreparedColumn, PreparedManifest } from '../../../contracts/prepared-data.ts';
import { encodeRow } from '../../datasets/index.ts';
import type { Feed } from '../native/session.ts';

/** Where the two files of a split lie; the caller verified them. */
export interface SplitFiles {
  readonly x: string;
  readonly y: string;
}

/** The samples and targets of one split, in memory as they are stored. */
export class Samples {
  readonly count: number;
  /** Numbers stored of a sample, and numbers fed. */
  readonly #stored: number;
  readonly #size: number;
  readonly #columns: readonly PreparedColumn[] | undefined;
  readonly #fed: PreparedManifest['input']['dtype'];
  readonly #x: Float32Array | Uint8Array;
  readonly #y: Int32Array | Float32Array;

  /** @param fed type of the samples in feeds: bytes may be fed as float32 */
  constructor(manifest: PreparedManifest, files: SplitFiles, fed = manifest.input.dtype) {
    const { input } = manifest;
    this.#fed = fed;
    this.#size = input.shape.reduce((product, length) => product * length, 1);
    this.#columns = columnsOf(manifest);
    this.#stored = this.#columns?.length ?? this.#size;
    const x = readFileSync(files.x);
    this.#x = input.dtype === 'uint8' ? new Uint8Array(x) : new Float32Array(aligned(x));
    this.#y = targets(manifest, aligned(readFileSync(files.y)));
    this.count = this.#y.length;
    if (this.#x.length !== this.count * this.#stored) throw new RangeError('samples and labels differ in number');
  }

  /** Population variance of the targets, as they are fed. */
  get variance(): number {
    const targets = Float64Array.from(this.#y);
    const mean = targets.reduce((sum, value) => sum + value, 0) / this.count;
    return targets.reduce((sum, value) => sum + (value - mean) ** 2, 0) / this.count;
  }

  /** The samples at `indices`, as the graph's `samples` and `labels`. */
  feed(indices: Uint32Array): { samples: Feed; labels: Feed } {
    const size = this.#size;
    const length = indices.length * size;
    const x = this.#fed === 'uint8' ? new Uint8Array(length) : new Float32Array(length);
    const y = this.#y instanceof Int32Array ? new Int32Array(indices.length) : new Float32Array(indices.length);
    indices.forEach((index, position) => {
      const stored = this.#x.subarray(index * this.#stored, (index + 1) * this.#stored);
      if (this.#columns === undefined) x.set(stored, position * size);
      else encodeRow(this.#columns, stored, x as Float32Array, position * size);
      y[position] = this.#y[index] as number;
    });
    return { samples: { shape: [indices.length, size], data: x }, labels: { shape: [indices.length], data: y } };
  }
}

/** Class indices, or standardised quantities. */
function targets(manifest: PreparedManifest, bytes: ArrayBuffer): Int32Array | Float32Array {
  const regression = regressionOf(manifest);
  if (regression === undefined) return new Int32Array(bytes);
  return new Float32Array(bytes).map((value) => (value - regression.mean) / regression.scale);
}

/** A copy that starts at the beginning of its buffer: views of four-byte numbers must be aligned. */
function aligned(bytes: Buffer): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
