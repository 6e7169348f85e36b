import type { DatasetCard } from './card.ts';
import { DatasetError } from './errors.ts';
import { parseIdx } from './idx.ts';
import type { LabelledSamples, LabelledSplits, ReadFile } from './samples.ts';

/** The official splits of MNIST; samples are [28, 28, 1] grey values of 0..255. */
export async function readMnist(card: DatasetCard, readFile: ReadFile): Promise<LabelledSplits> {
  const train = await readSplit('train', readFile);
  const test = await readSplit('test', readFile);
  const shape = arrayShape(card);
  for (const split of [train, test]) {
    if (split.shape.join() !== shape.slice(0, 2).join()) {
      throw new DatasetError(
        'DATASET_CARD_INVALID',
        `${card.name}: images are ${split.shape.join('x')}, not ${shape.join('x')}`,
        {
          field: 'recordSet',
        },
      );
    }
  }
  return { shape, dtype: 'uint8', train, test };
}

async function readSplit(name: string, readFile: ReadFile): Promise<LabelledSamples & { shape: readonly number[] }> {
  const images = parseIdx(await readFile(`${name}-images`), `${name}-images`);
  const labels = parseIdx(await readFile(`${name}-labels`), `${name}-labels`);
  if (images.shape.length !== 3 || labels.shape.length !== 1 || images.shape[0] !== labels.shape[0]) {
    throw new DatasetError('DATASET_CARD_INVALID', `${name}: ${images.shape[0]} images, ${labels.shape[0]} labels`, {
      field: 'distribution',
    });
  }
  return { shape: images.shape.slice(1), x: images.data, y: Int32Array.from(labels.data) };
}

function arrayShape(card: DatasetCard): number[] {
  const field = card.recordSet.flatMap((records) => records.field).find(({ arrayShape }) => arrayShape !== undefined);
  return (field?.arrayShape ?? '').split(',').map(Number);
}
