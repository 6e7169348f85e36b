import { readFile } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import { z } from 'zod';
import { ModelMetadata } from '../../contracts/inference.ts';
import { FeatureRecord, MAX_RECORDS, PredictResponse } from '../../contracts/predict.ts';
import type { ApiClient } from '../client/index.ts';
import { path } from '../client/index.ts';
import { usageError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import type { OutputOptions } from '../render/output.ts';
import { present } from '../render/output.ts';
import { renderTable } from '../render/table.ts';

/** Warnings that a table is followed by; JSON has all that the API gives. */
const SHOWN_WARNINGS = 10;

export interface RecordSources {
  /** JSON objects of values by the name of the feature. */
  readonly record?: readonly string[] | undefined;
  /** CSV file with a header line; columns that are no features are left out. */
  readonly file?: string | undefined;
}

/** `saip predict MODEL --record …|--file …`: one call of `POST /v1/models/{model}/predict`. */
export async function predictRecords(
  io: Io,
  api: ApiClient,
  model: string,
  { record, file, ...options }: RecordSources & OutputOptions,
): Promise<ExitCode> {
  const records = file === undefined ? (record ?? []).map(readRecord) : await readTable(api, model, file);
  const call = { role: 'predictor' } as const;
  const response = await api.post(path`/v1/models/${model}/predict`, { records }, PredictResponse, call);
  present(io, options, response, () => describe(response, io));
  return EXIT.ok;
}

function readRecord(source: string): FeatureRecord {
  try {
    return FeatureRecord.parse(JSON.parse(source));
  } catch (error) {
    throw usageError(
      `--record is no JSON object of numbers, strings and booleans: ${error instanceof SyntaxError ? error.message : source}`,
      'It looks like \'{"petal length": 4.7, "petal width": 1.4}\'.',
    );
  }
}

async function readTable(api: ApiClient, model: string, file: string): Promise<FeatureRecord[]> {
  const rows = parseTable(file, await readFile(file, 'utf8').catch(unreadable));
  if (rows.length === 0 || rows.length > MAX_RECORDS) {
    throw usageError(`${file} has ${String(rows.length)} records; 1 to ${String(MAX_RECORDS)} go into one request`);
  }
  const { inputs } = await api.get(path`/v2/models/${model}`, ModelMetadata, { role: 'predictor' });
  return rows.map((row) =>
    Object.fromEntries(
      inputs.flatMap(({ name, datatype }) => {
        const cell = row[name];
        return cell === undefined ? [] : [[name, datatype === 'BYTES' ? cell : numberOf(cell)]];
      }),
    ),
  );
}

function parseTable(file: string, source: string): Record<string, string>[] {
  try {
    const header = (names: string[]): string[] => names.map((name) => name.trim());
    const rows: unknown = parse(source, { columns: header, bom: true, skip_empty_lines: true });
    return z.array(z.record(z.string(), z.string())).parse(rows);
  } catch (error) {
    throw usageError(`${file} is no CSV: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** What is no number goes as it is, so that the API can name it, or take it for a missing value. */
function numberOf(cell: string): number | string {
  const value = cell.trim() === '' ? Number.NaN : Number(cell);
  return Number.isFinite(value) ? value : cell;
}

function unreadable(error: unknown): never {
  throw usageError(`cannot read the file: ${error instanceof Error ? error.message : String(error)}`);
}

function describe({ predictions, target, warnings, model, version }: PredictResponse, io: Io): string {
  const quantity = target && (target.unit === undefined ? target.name : `${target.name} (${target.unit})`);
  const rows = predictions.map((prediction, index) =>
    'label' in prediction
      ? [index, prediction.label, `${(100 * prediction.probability).toFixed(2)} %`]
      : [index, prediction.value.toPrecision(6)],
  );
  const table = renderTable(
    quantity === undefined ? ['record', 'label', 'probability'] : ['record', quantity],
    rows,
    io,
  );
  const notes = warnings
    .slice(0, SHOWN_WARNINGS)
    .map(({ record, feature, message }) => `warning: record ${String(record)}, ${feature}: ${message}`);
  const more =
    warnings.length > SHOWN_WARNINGS ? [`and ${String(warnings.length - SHOWN_WARNINGS)} more warnings`] : [];
  return [table, `by ${model} version ${version}`, ...notes, ...more].join('\n');
}
