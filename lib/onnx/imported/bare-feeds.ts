import { Tensor } from 'onnxruntime-node';
import type { InferenceSession } from 'onnxruntime-node';
import { encodedSize, encodeRow } from '../../datasets/index.ts';
import { feeder } from '../feeds.ts';
import type { Feeder } from '../feeds.ts';
import type { CompareJob } from './compare.ts';
import { arranged } from './conventions.ts';
import { inputsByFeature } from './names.ts';

type Job = Pick<CompareJob, 'shape' | 'input' | 'table' | 'taken'>;

/**
 * Feeds the graph as it was sent: what the wrapper does inside the served graph is done here, outside of it.
 *
 * @param samples stored ones, of a table one number a column
 */
export function bareFeeder(session: InferenceSession, samples: Uint8Array | Float32Array, job: Job): Feeder {
  if (job.table !== undefined && job.input.layout === 'columns') return namedFeeder(session, samples, job.table);
  const [name = ''] = session.inputNames;
  const double = typesOf(session).get(name) === 'float64';
  const rows = rowsOf(samples, job);
  return (begin, end) => {
    const values = arranged(rows(begin, end), job);
    const shape = [end - begin, ...job.taken];
    const tensor = double
      ? new Tensor('float64', Float64Array.from(values), shape)
      : new Tensor('float32', values, shape);
    return { [name]: tensor };
  };
}

/** Samples in a row; those of a table as the platform encodes them. */
function rowsOf(
  samples: Uint8Array | Float32Array,
  { shape, table }: Job,
): (begin: number, end: number) => Float32Array {
  if (table === undefined) {
    const size = shape.reduce((product, length) => product * length, 1);
    return (begin, end) => Float32Array.from(samples.subarray(begin * size, end * size));
  }
  const [stored, size] = [table.length, encodedSize(table)];
  return (begin, end) => {
    const rows = new Float32Array((end - begin) * size);
    for (let row = begin; row < end; row += 1) {
      encodeRow(table, samples.subarray(row * stored, (row + 1) * stored), rows, (row - begin) * size);
    }
    return rows;
  };
}

function namedFeeder(
  session: InferenceSession,
  samples: Uint8Array | Float32Array,
  columns: NonNullable<Job['table']>,
): Feeder {
  const types = typesOf(session);
  const named = feeder({ inputNames: columns.map(({ name }) => name), inputMetadata: served(columns) }, samples, {
    shape: [],
    columns,
  });
  const inputs = inputsByFeature(
    columns.map(({ name }) => name),
    session.inputNames,
  );
  return (begin, end) =>
    Object.fromEntries(
      Object.entries(named(begin, end)).map(([name, tensor]) => {
        const input = inputs.get(name) ?? name;
        return [input, asDeclared(tensor, types.get(input))];
      }),
    );
}

/** Of the platform's own interface of a table, which the values are made for. */
function served(columns: NonNullable<Job['table']>): InferenceSession['inputMetadata'] {
  return columns.map(({ name, kind }) => ({
    ...{ name, isTensor: true, type: kind === 'numeric' ? 'float32' : 'string', shape: ['batch', 1] },
  }));
}

function asDeclared(tensor: Tensor, type: string | undefined): Tensor {
  if (tensor.type !== 'float32') return tensor;
  const values = tensor.data as Float32Array;
  if (type === 'float64') return new Tensor('float64', Float64Array.from(values), tensor.dims);
  if (type === 'int64') return new Tensor('int64', BigInt64Array.from(values, BigInt), tensor.dims);
  return tensor;
}

function typesOf(session: InferenceSession): Map<string, string> {
  return new Map(session.inputMetadata.flatMap((one) => (one.isTensor ? [[one.name, one.type] as const] : [])));
}
