import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ArtifactStore } from '../../lib/artifacts/index.ts';
import { prepare, readInt32, readSamples } from '../../lib/datasets/index.ts';

export interface Image {
  /** Grey values 0…255, row-major. */
  readonly x: Float32Array;
  readonly y: number;
}

export interface Images {
  readonly name: string;
  /** Pixels of an edge. */
  readonly side: number;
  /** What an owner trains with. */
  readonly train: readonly Image[];
  /** What callers and thieves have. */
  readonly others: readonly Image[];
}

/** Grey value of white. */
const WHITE: Readonly<Record<string, number>> = { mnist: 255, digits: 16 };

/** Pictures of a data set of the platform, verified as a training verifies them. */
export async function images(name: 'mnist' | 'digits', counts: { train: number; others: number }): Promise<Images> {
  const root = await mkdtemp(join(tmpdir(), 'saip-misuse-'));
  try {
    const store = new ArtifactStore({ root });
    const { manifest } = await prepare({ dataset: name, seed: 42, validationShare: 0.1, store });
    const size = manifest.version === 2 ? manifest.columns.length : manifest.input.shape.reduce((a, b) => a * b, 1);
    const read = async (split: 'train' | 'validation' | 'test', from: number, most: number): Promise<Image[]> => {
      const { x, y, count } = manifest.splits[split];
      const values = await readSamples(await store.path(x), manifest.input.dtype);
      const labels = await readInt32(await store.path(y));
      const factor = 255 / (WHITE[name] ?? 255);
      return Array.from({ length: Math.max(0, Math.min(most, count - from)) }, (_, index) => {
        const row = from + index;
        const x = Float32Array.from(values.subarray(row * size, (row + 1) * size), (value) => value * factor);
        return { x, y: labels[row] ?? 0 };
      });
    };
    const train = await read('train', 0, counts.train);
    // A small data set has too few test samples for a stream: what the owner leaves of its training set comes after them.
    const others = await read('test', 0, counts.others);
    others.push(...(await read('validation', 0, counts.others - others.length)));
    others.push(...(await read('train', counts.train, counts.others - others.length)));
    return { name, side: Math.sqrt(size), train, others };
  } finally {
    await rm(root, { recursive: true });
  }
}

/** The same picture with another number of pixels, by the nearest or by the mean of those that become one. */
export function resized({ x, y }: Image, from: number, to: number): Image {
  const result = new Float32Array(to * to);
  const cells = Math.max(1, Math.round(from / to));
  for (let row = 0; row < to; row += 1) {
    for (let column = 0; column < to; column += 1) {
      let sum = 0;
      for (let cell = 0; cell < cells * cells; cell += 1) {
        const above = Math.min(from - 1, Math.floor((row * from) / to) + Math.floor(cell / cells));
        const beside = Math.min(from - 1, Math.floor((column * from) / to) + (cell % cells));
        sum += x[above * from + beside] ?? 0;
      }
      result[row * to + column] = sum / cells ** 2;
    }
  }
  return { x: result, y };
}
