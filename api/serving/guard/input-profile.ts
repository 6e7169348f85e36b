import type { PreparedColumn } from '../../../contracts/prepared-data.ts';
import type { TableFacts } from '../../../contracts/registry.ts';
import type { Feeds } from '../runtime/session.ts';
import type { TensorData } from '../tensors.ts';
import { SampleStatistics } from './sample-statistics.ts';
import type { Servable } from './servable.ts';

/** Numbers of a row that are looked at; of longer rows the first ones. */
const WIDEST = 16_384;

/** What the rows of a request are like, compared with what was signed about the training's data. */
export interface InputProfile {
  /** Numbers of a row. */
  readonly width: number;
  /** 1 for each row with a value out of range; undefined where there is none, or nothing is known. */
  outside(feeds: Feeds): Uint8Array | undefined;
  /** The numbers of a row; none of a table, whose features have no scale in common. */
  read(feeds: Feeds, row: number): Float32Array;
  /** Whether a row, in range as it may be, is unlike those of the training. */
  unlike(values: Float32Array): boolean;
}

const profiles = new WeakMap<object, InputProfile>();

/** The profile of what the model takes, made once a model. */
export function inputProfileOf(model: Servable): InputProfile {
  const known = profiles.get(model);
  if (known !== undefined) return known;
  const profile = model.facts?.version === 2 ? tableProfile(model.facts) : tensorProfile(model);
  profiles.set(model, profile);
  return profile;
}

function tensorProfile({ facts, inputs }: Servable): InputProfile {
  const numeric = inputs.filter(({ datatype }) => datatype !== 'BYTES');
  const sizes = numeric.map(({ shape }) => shape.slice(1).reduce((product, size) => product * Math.max(1, size), 1));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const width = Math.max(1, Math.min(WIDEST, total));
  const input = facts?.version === 1 ? facts.input : undefined;
  const statistics = input?.statistics && new SampleStatistics(input.statistics);
  return {
    width,
    outside: (feeds) => (input?.range === undefined ? undefined : outsideOf(feeds[input.name], input.range)),
    read: (feeds, row) => {
      const values = new Float32Array(width);
      let at = 0;
      for (const { name } of numeric) {
        const tensor = feeds[name];
        if (tensor === undefined || at >= width) continue;
        const size = tensor.data.length / Math.max(1, tensor.dims[0] ?? 1);
        for (let index = 0; index < size && at < width; index += 1, at += 1) {
          values[at] = Number(tensor.data[row * size + index]);
        }
      }
      return values;
    },
    unlike: (values) => statistics?.unlike(values) ?? false,
  };
}

function outsideOf(tensor: TensorData | undefined, [least, most]: readonly [number, number]): Uint8Array | undefined {
  if (tensor === undefined) return undefined;
  const { data, dims } = tensor;
  const size = data.length / Math.max(1, dims[0] ?? 1);
  let marks: Uint8Array | undefined;
  for (let index = 0; index < data.length; index += 1) {
    const given = data[index];
    const value = typeof given === 'number' ? given : Number(given);
    // Not a number is out of every range.
    if (value >= least && value <= most) continue;
    marks ??= new Uint8Array(Math.max(1, dims[0] ?? 1));
    marks[Math.floor(index / size)] = 1;
  }
  return marks;
}

interface Column {
  readonly name: string;
  readonly outside: (value: number | string) => boolean;
}

const NONE = new Float32Array(0);

function tableProfile({ columns }: TableFacts): InputProfile {
  const readers = columns.map(columnOf);
  return {
    width: 0,
    outside: (feeds) => {
      let marks: Uint8Array | undefined;
      for (const { name, outside } of readers) {
        const data = feeds[name]?.data ?? [];
        for (let row = 0; row < data.length; row += 1) {
          const value = data[row] ?? '';
          if (!outside(typeof value === 'bigint' ? Number(value) : value)) continue;
          marks ??= new Uint8Array(data.length);
          marks[row] = 1;
        }
      }
      return marks;
    },
    read: () => NONE,
    unlike: () => false,
  };
}

/** Missing values are in range: whether one may be missing is the model's to say. */
function columnOf(column: PreparedColumn): Column {
  const { name } = column;
  if (column.kind === 'numeric') {
    const { range } = column;
    if (range === undefined) return { name, outside: () => false };
    const [least, most] = [Math.fround(range[0]), Math.fround(range[1])];
    return { name, outside: (value) => Number(value) < least || Number(value) > most };
  }
  const known = new Set(column.kind === 'boolean' ? [column.falsy, column.truthy] : column.categories);
  return { name, outside: (value) => value !== '' && !known.has(String(value)) };
}
