import type { PreparedColumn } from '../../contracts/prepared-data.ts';
import type { FeatureRecord, PredictResponse } from '../../contracts/predict.ts';
import type { TableFacts } from '../../contracts/registry.ts';
import { ApiError } from '../errors.ts';
import type { RunCall } from './batcher.ts';
import type { Servable } from './guard/index.ts';
import { timingsOf, type Inferred } from './infer.ts';
import { inputDigestOf } from './record.ts';
import type { TensorData } from './tensors.ts';

type Warning = PredictResponse['warnings'][number];
type Value = FeatureRecord[string];

/** Enough to see what is wrong with a file. */
const MAX_WARNINGS = 100;
const SHOWN_CHARACTERS = 60;

/** Named features of a model of a table, and whether it takes them as numbers; none of any other model. */
export function featuresOf({ facts }: Pick<Servable, 'facts'>): ReadonlyMap<string, boolean> {
  const columns = facts?.version === 2 ? facts.columns : [];
  return new Map(columns.map(({ kind, name }) => [name, kind === 'numeric']));
}

/**
 * Lets a model of a table predict records of raw values by the name of the feature.
 *
 * @param first number of the first record, where these are a part of more
 * @throws {ApiError} `REQUEST_INVALID` naming record and feature and `TENSOR_INVALID` for a model of tensors; what
 * `LoadedModel.run` throws
 */
export async function predict(
  model: Servable,
  records: readonly FeatureRecord[],
  first = 0,
  call: RunCall = {},
): Promise<Inferred<PredictResponse>> {
  const { facts } = model;
  if (facts?.version !== 2) {
    throw new ApiError('TENSOR_INVALID', `${model.model} takes no named features; use POST /v2/models/{model}/infer.`);
  }
  const warnings: Warning[] = [];
  const feeds = toFeeds(facts, records, first, (warning) => {
    if (warnings.length < MAX_WARNINGS) warnings.push(warning);
  });
  const inputDigest = inputDigestOf(feeds);
  const fetches = facts.target === undefined ? ['probabilities', 'label'] : ['prediction'];
  const results = await model.run(feeds, fetches, call);
  const { target } = facts;
  const predictions = target === undefined ? classes(facts, results) : quantities(results);
  const parameters = model.told?.();
  const response = { model: model.model, version: model.version, target, predictions, warnings, parameters };
  return { response, timings: timingsOf(call, records.length), inputDigest, output: summaryOf(predictions) };
}

function toFeeds(
  { columns, missing }: TableFacts,
  records: readonly FeatureRecord[],
  first: number,
  warn: (warning: Warning) => void,
): Record<string, TensorData> {
  const known = new Set(columns.map(({ name }) => name));
  for (const [index, record] of records.entries()) {
    const stray = Object.keys(record).find((name) => !known.has(name));
    if (stray === undefined) continue;
    throw invalid(first + index, stray, `the model has no such feature; it has ${[...known].slice(0, 40).join(', ')}`);
  }
  const absent = new Set(['', ...missing]);
  const feeds: Record<string, TensorData> = {};
  for (const column of columns) {
    const values = records.map((record, index) => {
      const value = Object.hasOwn(record, column.name) ? record[column.name] : null;
      return featureValue(
        column,
        isMissing(value, absent) ? null : value,
        (message) => {
          warn({ record: first + index, feature: column.name, message });
        },
        first + index,
      );
    });
    const dims = [records.length, 1];
    feeds[column.name] =
      column.kind === 'numeric'
        ? { type: 'float32', data: Float32Array.from(values, Number), dims }
        : { type: 'string', data: values.map(String), dims };
  }
  return feeds;
}

function isMissing(value: Value | undefined, absent: ReadonlySet<string>): value is null | undefined {
  return value === null || value === undefined || (typeof value === 'string' && absent.has(value.trim()));
}

/** What the graph takes: a number, NaN if missing; or a string, empty if missing. */
function featureValue(
  column: PreparedColumn,
  value: Value | undefined,
  warn: (message: string) => void,
  record: number,
): number | string {
  if (value === null || value === undefined) {
    const nullable = column.kind === 'numeric' ? column.imputed !== undefined : column.nullable;
    if (nullable) return column.kind === 'numeric' ? Number.NaN : '';
    throw invalid(record, column.name, 'is missing, and the training had no missing value of it');
  }
  switch (column.kind) {
    case 'numeric':
      if (typeof value === 'number' && Number.isFinite(Math.fround(value))) return inRange(column, value, warn);
      throw invalid(record, column.name, `must be a number of single precision, not ${shown(value)}`);
    case 'boolean': {
      const text = typeof value === 'boolean' ? (value ? column.truthy : column.falsy) : String(value).trim();
      if (text === column.truthy || text === column.falsy) return text;
      const { truthy, falsy } = column;
      throw invalid(record, column.name, `must be true or false, or as ${shown(truthy)} or ${shown(falsy)}`);
    }
    case 'categorical': {
      const text = String(value);
      const category = column.categories.includes(text) ? text : text.trim();
      if (!column.categories.includes(category)) warn(`the training knew no category ${shown(text)}`);
      return category;
    }
  }
}

function inRange(
  { range }: Extract<PreparedColumn, { kind: 'numeric' }>,
  value: number,
  warn: (message: string) => void,
): number {
  if (
    range !== undefined &&
    (Math.fround(value) < Math.fround(range[0]) || Math.fround(value) > Math.fround(range[1]))
  ) {
    warn(`${value} is outside of the training's range, ${range[0]} to ${range[1]}`);
  }
  return value;
}

function classes(
  { labels }: TableFacts,
  results: Readonly<Record<string, TensorData>>,
): Extract<PredictResponse['predictions'][number], { label: string }>[] {
  const probabilities = Array.from(results['probabilities']?.data as Float32Array);
  return Array.from(results['label']?.data as BigInt64Array, (label, row) => {
    const own = probabilities.slice(row * labels.length, (row + 1) * labels.length);
    return {
      label: labels[Number(label)] ?? '',
      probability: own[Number(label)] ?? 0,
      probabilities: Object.fromEntries(labels.map((name, index) => [name, own[index] ?? 0])),
    };
  });
}

function quantities(results: Readonly<Record<string, TensorData>>): { value: number }[] {
  return Array.from(results['prediction']?.data as Float32Array, (value) => ({ value }));
}

/** How many predictions, and the first of them. */
function summaryOf(predictions: PredictResponse['predictions']): string {
  const [first] = predictions;
  if (first === undefined) return '0 predictions';
  const text = 'label' in first ? `${first.label} ${first.probability.toPrecision(4)}` : first.value.toPrecision(6);
  return `${predictions.length} predictions, the first ${text}`;
}

function shown(value: string | number | boolean): string {
  const text = JSON.stringify(value);
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}…`;
}

function invalid(record: number, feature: string, problem: string): ApiError {
  const field = `body.records[${String(record)}].${feature}`;
  return new ApiError('REQUEST_INVALID', `Record ${String(record)}, ${shown(feature)}: ${problem}.`, { field });
}
