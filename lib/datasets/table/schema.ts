import type { TableSchema } from '../../../contracts/table.ts';
import { DatasetError } from '../errors.ts';

/** Names of the served graph's outputs, which its inputs cannot have too. */
const RESERVED = new Set(['probabilities', 'label', 'prediction']);

/**
 * Checks of a table's schema that take the whole of it.
 *
 * @param files `@id`s of the card's files
 * @throws DatasetError `DATASET_CARD_INVALID`
 */
export function checkTable(schema: TableSchema, files: readonly string[], card: string): void {
  const invalid = (field: string, problem: string): DatasetError =>
    new DatasetError('DATASET_CARD_INVALID', `${card}: saip:table.${field} ${problem}`, {
      field: `saip:table.${field}`,
    });
  if (!files.includes(schema.file)) throw invalid('file', `names no file of the distribution: "${schema.file}"`);
  const names = new Set([schema.target.name]);
  for (const [index, column] of schema.features.entries()) {
    const field = `features[${index}]`;
    if (names.has(column.name)) throw invalid(field, `has the name of another column: "${column.name}"`);
    if (RESERVED.has(column.name)) throw invalid(field, `has the name of an output of the graph: "${column.name}"`);
    if (column.kind === 'boolean' && column.truthy === column.falsy) throw invalid(field, 'spells true as false');
    if (column.kind === 'categorical' && new Set(column.categories).size < column.categories.length) {
      throw invalid(field, 'lists a category twice');
    }
    names.add(column.name);
  }
  const { target } = schema;
  if (target.task === 'classification' && new Set(target.labels).size < target.labels.length) {
    throw invalid('target', 'lists a label twice');
  }
}
