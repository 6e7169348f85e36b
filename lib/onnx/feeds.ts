import { Tensor } from 'onnxruntime-node';
import type { InferenceSession } from 'onnxruntime-node';
import type { PreparedColumn } from '../../contracts/prepared-data.ts';
import { OnnxError } from './errors.ts';
import type { OnnxInput } from './run.ts';

/** What the graph is fed for some samples, `[begin, end)`. */
export type Feeder = (begin: number, end: number) => Record<string, Tensor>;

/** Spelling of a category that no column lists. */
const UNKNOWN = '\uFFFD';

/**
 * Makes the graph's inputs of stored samples: one tensor, or of a table one tensor a column with the values that a
 * caller would send.
 *
 * @throws OnnxError `TENSOR_INVALID` where the graph takes something else
 */
export function feeder(
  session: Pick<InferenceSession, 'inputNames' | 'inputMetadata'>,
  samples: Uint8Array | Float32Array,
  { shape, columns }: Pick<OnnxInput, 'shape' | 'columns'>,
): Feeder {
  if (columns !== undefined) return tableFeeder(session, samples, columns);
  const [metadata] = session.inputMetadata;
  const taken = metadata?.isTensor === true ? metadata.shape.slice(1) : [];
  if (session.inputNames.length !== 1 || taken.join() !== shape.join()) {
    throw invalid(`the model takes samples of [${taken.join(', ')}], not [${shape.join(', ')}]`, session.inputNames[0]);
  }
  const size = shape.reduce((product, axis) => product * axis, 1);
  return (begin, end) => ({
    [session.inputNames[0] as string]: new Tensor(
      'float32',
      Float32Array.from(samples.subarray(begin * size, end * size)),
      [end - begin, ...shape],
    ),
  });
}

function tableFeeder(
  session: Pick<InferenceSession, 'inputNames' | 'inputMetadata'>,
  samples: Uint8Array | Float32Array,
  columns: readonly PreparedColumn[],
): Feeder {
  const names = new Set(columns.map(({ name }) => name));
  const stray = session.inputNames.find((name) => !names.has(name));
  if (stray !== undefined) throw invalid(`the model takes a feature "${stray}", which the table has not`, stray);
  for (const column of columns) {
    const type = column.kind === 'numeric' ? 'float32' : 'string';
    const metadata = session.inputMetadata.find(({ name }) => name === column.name);
    if (metadata?.isTensor === true && metadata.type === type) continue;
    throw invalid(`the model takes no feature "${column.name}" of ${type}`, column.name);
  }
  return (begin, end) => {
    const value = (row: number, at: number): number => samples[row * columns.length + at] as number;
    const rows = Array.from({ length: end - begin }, (_, row) => begin + row);
    return Object.fromEntries(
      columns.map((column, at) => [
        column.name,
        column.kind === 'numeric'
          ? new Tensor(
              'float32',
              Float32Array.from(rows, (row) => value(row, at)),
              [rows.length, 1],
            )
          : new Tensor(
              'string',
              rows.map((row) => spelled(column, value(row, at))),
              [rows.length, 1],
            ),
      ]),
    );
  };
}

function spelled(column: Exclude<PreparedColumn, { kind: 'numeric' }>, value: number): string {
  if (Number.isNaN(value)) return '';
  if (column.kind === 'boolean') return value === 1 ? column.truthy : column.falsy;
  return column.categories[value] ?? UNKNOWN;
}

function invalid(message: string, field: string | undefined): OnnxError {
  return new OnnxError('TENSOR_INVALID', message, { field });
}
