import { labelsOf } from './card.ts';
import { DatasetError } from './errors.ts';
import { findSource, loadCard } from './registry.ts';
import { verifiedReader } from './verify.ts';

export interface TestSample {
  /** Position in the official test split. */
  readonly index: number;
  /** Row-major raw values. */
  readonly x: Uint8Array;
  readonly label: string;
}

export interface TestSamples {
  /** Shape of one sample. */
  readonly shape: readonly number[];
  readonly labels: readonly string[];
  readonly samples: readonly TestSample[];
}

/**
 * Chosen samples of the official test split, read from verified files.
 *
 * @throws DatasetError as `verifyDataset`, and `DATASET_SPLIT_INVALID` for an index that the split does not have.
 */
export async function readTestSamples(dataset: string, indices: readonly number[]): Promise<TestSamples> {
  const source = findSource(dataset);
  const card = await loadCard(dataset);
  if (source.samples === undefined) {
    throw new DatasetError('DATASET_SPLIT_INVALID', `${dataset} is a table, which has no samples to show`, {
      field: 'dataset',
    });
  }
  const labels = labelsOf(card);
  const { shape, test } = await source.samples.read(card, verifiedReader(card, source.root()));
  const size = shape.reduce((product, axis) => product * axis, 1);
  const samples = indices.map((index) => {
    const label = labels[test.y[index] ?? -1];
    if (label === undefined) {
      throw new DatasetError(
        'DATASET_SPLIT_INVALID',
        `${dataset} has no test sample ${index}; they are 0 to ${test.y.length - 1}`,
        { field: 'index' },
      );
    }
    return { index, x: test.x.subarray(index * size, (index + 1) * size), label };
  });
  return { shape, labels, samples };
}
