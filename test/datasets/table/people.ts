import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { PreparedTable } from '../../../contracts/prepared-data.ts';
import { TableSchema } from '../../../contracts/table.ts';
import type { ArtifactStore } from '../../../lib/artifacts/index.ts';
import { prepareTable } from '../../../lib/datasets/table/prepare.ts';

const TOWNS = ['Ulm', 'Bonn', 'Köln', 'Atlantis'];

export function peopleSchema(task: 'classification' | 'regression'): TableSchema {
  return TableSchema.parse({
    file: 'csv',
    missing: ['NA'],
    features: [
      { kind: 'numeric', name: 'age', integer: true },
      { kind: 'numeric', name: 'weight in kg', nullable: true },
      { kind: 'boolean', name: 'smokes', truthy: 'yes', falsy: 'no', nullable: true },
      { kind: 'categorical', name: 'town', categories: TOWNS.slice(0, 3), nullable: true },
    ],
    target:
      task === 'classification' ? { task, name: 'ill', labels: ['no', 'yes'] } : { task, name: 'days', unit: 'd' },
  });
}

interface PeopleOptions {
  readonly rows: number;
  readonly seed: number;
  /** How often each row is in the file. */
  readonly copies?: number;
  readonly task?: 'classification' | 'regression';
  readonly splitBy?: 'class' | 'content';
}

/** A made table of every kind of column, with gaps and a category that the schema does not know, prepared. */
export function peopleTable(
  store: ArtifactStore,
  { rows, seed, copies = 1, task = 'classification', splitBy = 'class' }: PeopleOptions,
): Promise<PreparedTable> {
  const random = xoroshiro128plus(seed);
  const draw = (low: number, high: number): number => uniformInt(random, low, high);
  const lines = Array.from({ length: rows }, () => {
    const age = draw(18, 90);
    const smokes = draw(0, 1);
    const weight = draw(0, 9) === 0 ? 'NA' : String(draw(400, 1200) / 10);
    const sick = age + 30 * smokes + draw(0, 20) > 85;
    const target = task === 'classification' ? (sick ? 'yes' : 'no') : String(age / 10 + 5 * smokes);
    const town = draw(0, 7) === 0 ? '' : TOWNS[draw(0, 3)];
    return [age, weight, draw(0, 7) === 0 ? '' : ['no', 'yes'][smokes], town, target].join(',');
  });
  const schema = peopleSchema(task);
  const text = ['age,weight in kg,smokes,town,'.concat(schema.target.name), ...Array(copies).fill(lines).flat()].join(
    '\n',
  );
  async function* bytes(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(text);
  }
  const options = { dataset: 'people', schema, bytes: bytes(), file: 'people.csv', seed: 1, validationShare: 0.1 };
  return prepareTable({ ...options, splitBy, store });
}
