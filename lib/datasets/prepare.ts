import type { ArtifactRef } from '../../contracts/reference.ts';
import { PreparedManifest } from '../../contracts/prepared-data.ts';
import type { ArtifactStore } from '../artifacts/index.ts';
import { labelsOf } from './card.ts';
import type { DatasetCard, FileObject } from './card.ts';
import { DatasetError } from './errors.ts';
import { dataDigest, streamVerified } from './files.ts';
import { findSource, loadCard } from './registry.ts';
import type { LabelledSamples, LabelledSplits } from './samples.ts';
import { stratifiedSplit } from './split.ts';
import { fitStandardisation } from './standardise.ts';
import { prepareTable } from './table/prepare.ts';
import { cardDigest, verifiedReader, verifiedStream } from './verify.ts';
import type { DataLocation } from './verify.ts';

export interface PrepareOptions extends DataLocation {
  readonly dataset: string;
  readonly seed: number;
  /** Share of the samples that do not test that is held out, 0 < share < 1. */
  readonly validationShare: number;
  readonly store: Pick<ArtifactStore, 'put' | 'putFile' | 'putJson'>;
}

export interface PreparedDataset {
  readonly manifestRef: ArtifactRef;
  readonly manifest: PreparedManifest;
  readonly cardSha256: string;
  readonly dataSha256: string;
}

/**
 * Splits a data set by seed, fits the standardisation on the training split alone and stores raw samples, labels and
 * the manifest that names them. Every file is verified as it is read. Same arguments and data: same manifest digest.
 *
 * @throws DatasetError as `verifyDataset`, and `DATASET_CELL_INVALID`, `DATASET_SPLIT_INVALID`.
 */
export async function prepare(o: PrepareOptions): Promise<PreparedDataset> {
  const source = findSource(o.dataset);
  const card = await loadCard(o.dataset);
  const root = o.root ?? source.root();
  return keep(o, card, await prepareSplits(o, card, root, source.samples));
}

/**
 * The same for a table of somebody's own, of whose rows nobody knows whether they repeat: copies of a row are all on one
 * side.
 * @param file the card's only file, at `location`
 */
export async function prepareOwnTable(
  o: Omit<PrepareOptions, 'root'>,
  { card, file, location }: { readonly card: DatasetCard; readonly file: FileObject; readonly location: string },
): Promise<PreparedDataset> {
  const schema = card['saip:table'];
  if (schema === undefined) {
    throw new DatasetError('DATASET_CARD_INVALID', `${o.dataset}: the card describes no table`, {
      field: 'saip:table',
    });
  }
  const source = { file: file.contentUrl, bytes: streamVerified(file, location) };
  return keep(o, card, await prepareTable({ ...o, schema, splitBy: 'content', ...source }));
}

async function keep(
  o: Pick<PrepareOptions, 'store'>,
  card: DatasetCard,
  splits: PreparedManifest,
): Promise<PreparedDataset> {
  const manifest = PreparedManifest.parse(splits);
  return {
    manifestRef: await o.store.putJson(manifest),
    manifest,
    cardSha256: cardDigest(card),
    dataSha256: dataDigest(card),
  };
}

async function prepareSplits(
  o: PrepareOptions,
  card: DatasetCard,
  root: string,
  samples: ReturnType<typeof findSource>['samples'],
): Promise<PreparedManifest> {
  const schema = card['saip:table'];
  if (schema !== undefined) {
    return prepareTable({ ...o, schema, splitBy: 'class', ...verifiedStream(card, root, schema.file) });
  }
  if (samples !== undefined)
    return prepareSamples(o, card, await samples.read(card, verifiedReader(card, root)), samples);
  throw new DatasetError('DATASET_CARD_INVALID', `${o.dataset}: the card describes no table`, { field: 'saip:table' });
}

async function prepareSamples(
  o: PrepareOptions,
  card: DatasetCard,
  { shape, dtype, train, test }: LabelledSplits,
  { input }: { readonly input: string },
): Promise<PreparedManifest> {
  const labels = labelsOf(card);
  checkLabels(test.y, labels.length);
  const split = stratifiedSplit({
    labels: train.y,
    classes: labels.length,
    validationShare: o.validationShare,
    seed: o.seed,
  });
  const size = shape.reduce((product, axis) => product * axis, 1);
  const training = take(train, split.train, size);
  return {
    version: 1,
    dataset: o.dataset,
    seed: o.seed,
    validationShare: o.validationShare,
    input: { name: input, shape, dtype },
    labels,
    preprocessing: fitStandardisation(training.x, shape.at(-1) ?? 1),
    splits: {
      train: await store(o.store, training),
      validation: await store(o.store, take(train, split.validation, size)),
      test: await store(o.store, test),
    },
  };
}

function checkLabels(y: Int32Array, classes: number): void {
  const wrong = y.findIndex((label) => label >= classes);
  if (wrong === -1) return;
  throw new DatasetError(
    'DATASET_SPLIT_INVALID',
    `test sample ${wrong} has the label ${y[wrong]} of ${classes} classes`,
    {
      field: 'labels',
    },
  );
}

function take({ x, y }: LabelledSamples, indices: Int32Array, size: number): LabelledSamples {
  const samples = new Uint8Array(indices.length * size);
  for (const [to, from] of indices.entries()) samples.set(x.subarray(from * size, (from + 1) * size), to * size);
  return { x: samples, y: indices.map((index) => y[index] ?? 0) };
}

async function store(
  artifacts: PrepareOptions['store'],
  { x, y }: LabelledSamples,
): Promise<PreparedManifest['splits']['train']> {
  const mediaType = 'application/octet-stream';
  return {
    x: await artifacts.put(x, { mediaType }),
    y: await artifacts.put(littleEndian(y), { mediaType }),
    count: y.length,
  };
}

function littleEndian(values: Int32Array): Uint8Array {
  const bytes = Buffer.allocUnsafe(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeInt32LE(value, index * 4);
  return bytes;
}
