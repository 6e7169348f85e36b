import { describe, expect, it } from '@jest/globals';
import { readTestSamples } from '../../lib/datasets/index.ts';

describe('readTestSamples', () => {
  it('gives chosen images of the official test split, in the order asked for', async () => {
    const { shape, labels, samples } = await readTestSamples('mnist', [0, 9999, 1]);
    expect(shape).toEqual([28, 28, 1]);
    expect(labels).toHaveLength(10);
    // The labels of these images in t10k-labels-idx1-ubyte.
    expect(samples.map(({ index, label }) => [index, label])).toEqual([
      [0, '7'],
      [9999, '6'],
      [1, '2'],
    ]);
    for (const { x } of samples) expect(x).toHaveLength(784);
    expect(samples[0]?.x).not.toEqual(samples[1]?.x);
  });

  it.each([-1, 10_000, 0.5])('refuses the index %d', async (index) => {
    await expect(readTestSamples('mnist', [index])).rejects.toMatchObject({
      code: 'DATASET_SPLIT_INVALID',
      field: 'index',
    });
  });
});
