import type { FeatureRecord, PredictResponse } from '../../contracts/predict.ts';
import type { TableFacts } from '../../contracts/registry.ts';
import { FeatureReader, predictionsOf, shown, summaryOf } from '../../lib/scoring/index.ts';
import { ApiError } from '../errors.ts';
import type { RunCall } from './batcher.ts';
import type { Servable } from './guard/index.ts';
import { timingsOf, type Inferred } from './infer.ts';
import { inputDigestOf } from './record.ts';
import type { TensorData } from './tensors.ts';

type Warning = PredictResponse['warnings'][number];

/** Enough to see what is wrong with a file. */
const MAX_WARNINGS = 100;

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
  const predictions = predictionsOf(facts, results);
  const parameters = model.told?.();
  const response = { model: model.model, version: model.version, target, predictions, warnings, parameters };
  return { response, timings: timingsOf(call, records.length), inputDigest, output: summaryOf(predictions) };
}

const readers = new WeakMap<TableFacts, FeatureReader>();

function toFeeds(
  facts: TableFacts,
  records: readonly FeatureRecord[],
  first: number,
  warn: (warning: Warning) => void,
): Readonly<Record<string, TensorData>> {
  const reader = readers.get(facts) ?? new FeatureReader(facts);
  readers.set(facts, reader);
  const rows = records.map((features, index) => {
    const record = first + index;
    const values = reader.read(features, (feature, message) => warn({ record, feature, message }));
    if (Array.isArray(values)) return values;
    const { feature, problem } = values;
    const field = `body.records[${String(record)}].${feature}`;
    throw new ApiError('REQUEST_INVALID', `Record ${String(record)}, ${shown(feature)}: ${problem}.`, { field });
  });
  return reader.tensors(rows);
}
