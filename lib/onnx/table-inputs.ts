import type { PreparedColumn, PreparedTable } from '../../contracts/prepared-data.ts';
import type { GraphBuilder, ValueName } from './graph.ts';

/** Operators for classical machine learning; the label encoder of version 2 takes strings to integers. */
const ML = 'ai.onnx.ml';

/**
 * Declares one input for each column of a table, named as the column, of the shape [batch, 1] (float32 for numbers,
 * strings for the rest), as converters of scikit-learn pipelines do; and encodes them as training did: missing numbers
 * (NaN) become the median, booleans 0 or 1, categories one-hot. An unknown category is all zeros; the empty string, or
 * a spelling of "missing", is a category of its own where the column may be empty.
 *
 * @returns float32 [batch, entries]
 */
export function tableInputs(
  graph: GraphBuilder,
  { columns, missing }: Pick<PreparedTable, 'columns' | 'missing'>,
): ValueName {
  const parts = columns.map((column, index) => {
    const value = graph.input(column.name, [1], column.kind === 'numeric' ? 'float32' : 'string');
    return encode(graph, value, column, { missing: ['', ...missing], name: `columns.${index}` });
  });
  return parts.length === 1 ? (parts[0] as ValueName) : graph.node('Concat', parts, { axis: 1 });
}

interface Context {
  readonly missing: readonly string[];
  /** Prefix of the column's constants. */
  readonly name: string;
}

function encode(graph: GraphBuilder, value: ValueName, column: PreparedColumn, context: Context): ValueName {
  switch (column.kind) {
    case 'numeric': {
      if (column.imputed === undefined) return value;
      const median = graph.constant(`${context.name}.imputed`, [1], Float32Array.of(column.imputed));
      return graph.node('Where', [graph.node('IsNaN', [value]), median, value]);
    }
    case 'boolean':
      // The first entry says true, so that false is all zeros.
      return oneHot(graph, value, [column.truthy], column.nullable ? context.missing : []);
    case 'categorical':
      return oneHot(graph, value, column.categories, column.nullable ? context.missing : []);
  }
}

/** One entry for each of `values`, and one for all of `missing` if there are any. */
function oneHot(
  graph: GraphBuilder,
  value: ValueName,
  values: readonly string[],
  missing: readonly string[],
): ValueName {
  const spelled = missing.filter((spelling) => !values.includes(spelling));
  const index = graph.node(
    'LabelEncoder',
    [value],
    {
      keys_strings: [...values, ...spelled],
      values_int64s: [...values.keys(), ...spelled.map(() => values.length)],
      default_int64: -1,
    },
    { domain: ML },
  );
  const entries = values.length + (missing.length > 0 ? 1 : 0);
  const encoded = graph.node(
    'OneHotEncoder',
    [index],
    { cats_int64s: Array.from({ length: entries }, (_, entry) => entry), zeros: 1 },
    { domain: ML },
  );
  return graph.node('Flatten', [encoded], { axis: 1 });
}
