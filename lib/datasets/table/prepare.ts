import { hash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { PreparedTable } from '../../../contracts/prepared-data.ts';
import type { TableSchema } from '../../../contracts/table.ts';
import type { ArtifactStore } from '../../artifacts/index.ts';
import { DatasetError } from '../errors.ts';
import { encodedSize } from './encode.ts';
import { fitTable, fitTarget } from './fit.ts';
import { holdOut } from './held-out.ts';
import { float32Rows, NumberWriter } from './number-file.ts';
import { readRows } from './rows.ts';
import type { TableRow } from './rows.ts';
import { assignSplit } from './assign.ts';

/**
 * Share of the rows that tests. Which rows these are does not depend on the seed, so that trainings of any seed are
 * tested on rows that none of them has seen.
 */
const TEST_SHARE = 0.2;
/** Of the rows that test; no seed of a training is negative. */
const TEST_SEED = -1;
const SPLITS = ['train', 'validation', 'test'] as const;
type Split = (typeof SPLITS)[number];

export interface PrepareTableOptions {
  readonly dataset: string;
  readonly schema: TableSchema;
  /**
   * `class` keeps the class frequencies, up to one row a class; `content` keeps equal rows together, whatever their
   * labels, and the shares in expectation.
   */
  readonly splitBy: 'class' | 'content';
  /** The verified bytes of the schema's file; their end comes only if the digest is right. */
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Name of the file, for messages. */
  readonly file: string;
  readonly seed: number;
  /** Share of the rows that do not test, 0 < share < 1. */
  readonly validationShare: number;
  readonly store: Pick<ArtifactStore, 'putFile'>;
}

/**
 * Reads a table once and writes its splits as numbers, one row at a time; then fits imputation and scaling on the
 * training split alone. Same arguments and bytes: same manifest.
 *
 * @throws DatasetError `DATASET_CELL_INVALID`, `DATASET_SPLIT_INVALID`
 */
export async function prepareTable(o: PrepareTableOptions): Promise<PreparedTable> {
  const folder = await mkdtemp(path.join(tmpdir(), 'saip-table-'));
  try {
    const { features, target, missing } = o.schema;
    const counts = await writeSplits(o, folder);
    checkCounts(counts, o);
    const train = (): AsyncIterable<Float32Array> => float32Rows(path.join(folder, 'train.x'), features.length);
    const { columns, preprocessing } = await fitTable(train, features);
    const regression =
      target.task === 'regression' ? await fitTarget(target, float32Rows(path.join(folder, 'train.y'), 1)) : undefined;
    const stored = async (split: Split): Promise<PreparedTable['splits'][Split]> => ({
      x: await put(o.store, path.join(folder, `${split}.x`)),
      y: await put(o.store, path.join(folder, `${split}.y`)),
      count: total(counts[split]),
    });
    return {
      version: 2,
      dataset: o.dataset,
      seed: o.seed,
      validationShare: o.validationShare,
      input: { name: 'features', shape: [encodedSize(columns)], dtype: 'float32' },
      columns,
      missing,
      labels: target.task === 'classification' ? target.labels : [],
      ...(regression !== undefined && { regression }),
      preprocessing,
      splits: { train: await stored('train'), validation: await stored('validation'), test: await stored('test') },
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Rows of each split by class; all of a regression's are one class. */
type Counts = Record<Split, number[]>;

async function writeSplits(o: PrepareTableOptions, folder: string): Promise<Counts> {
  const { target } = o.schema;
  const classes = target.task === 'classification' ? target.labels.length : 1;
  const none = (): number[] => Array.from({ length: classes }, () => 0);
  const counts: Counts = { train: none(), validation: none(), test: none() };
  const splitOf = o.splitBy === 'class' ? splitByClass(o) : splitByContent(o);
  const writers = await openWriters(folder, target.task === 'classification' ? 'int32' : 'float32');
  try {
    for await (const row of readRows(o.bytes, o.schema, o.file)) {
      const stratum = target.task === 'classification' ? row.target : 0;
      const split = splitOf(row, stratum);
      await writers[split].x.write(row.features);
      await writers[split].y.write([row.target]);
      (counts[split][stratum] as number) += 1;
    }
  } finally {
    for (const split of SPLITS) {
      await writers[split].x.close();
      await writers[split].y.close();
    }
  }
  return counts;
}

type SplitOf = (row: TableRow, stratum: number) => Split;

function splitByClass({ seed, validationShare }: PrepareTableOptions): SplitOf {
  const tests = holdOut('test', TEST_SHARE);
  const validates = holdOut(`validation/${seed}`, validationShare);
  return (_row, stratum) => (tests(stratum) ? 'test' : validates(stratum) ? 'validation' : 'train');
}

function splitByContent({ seed, validationShare }: PrepareTableOptions): SplitOf {
  return ({ features: { buffer } }) => {
    const rowDigest = hash('sha256', new Uint8Array(buffer), 'buffer');
    const share = { seed, rowDigest };
    if (assignSplit({ ...share, seed: TEST_SEED, validationShare: 0, testShare: TEST_SHARE }) === 'test') return 'test';
    // Mixed with another seed, what is left falls anew.
    return assignSplit({ ...share, validationShare, testShare: 0 });
  };
}

interface Writers {
  readonly x: NumberWriter;
  readonly y: NumberWriter;
}

async function openWriters(folder: string, kind: 'int32' | 'float32'): Promise<Record<Split, Writers>> {
  const writers = async (split: Split): Promise<Writers> => ({
    x: await NumberWriter.create(path.join(folder, `${split}.x`), 'float32'),
    y: await NumberWriter.create(path.join(folder, `${split}.y`), kind),
  });
  return { train: await writers('train'), validation: await writers('validation'), test: await writers('test') };
}

function checkCounts(counts: Counts, { dataset, schema: { target }, validationShare }: PrepareTableOptions): void {
  for (const split of SPLITS) {
    if (total(counts[split]) > 0) continue;
    throw new DatasetError('DATASET_SPLIT_INVALID', `${dataset} has too few rows: none is left for ${split}`, {
      field: 'validationShare',
    });
  }
  const untrained = counts.train.findIndex((rows) => rows === 0);
  if (untrained === -1 || target.task === 'regression') return;
  throw new DatasetError(
    'DATASET_SPLIT_INVALID',
    `no row of the label "${target.labels[untrained]}" is left to train on beside a validation share of ${validationShare}`,
    { field: 'labels' },
  );
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

function put(store: PrepareTableOptions['store'], file: string): Promise<PreparedTable['splits'][Split]['x']> {
  return store.putFile(file, { mediaType: 'application/octet-stream' });
}
