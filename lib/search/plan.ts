import { withValues } from '../../contracts/search-space.ts';
import type { SearchSpace, SearchValues } from '../../contracts/search-space.ts';
import type { SearchInput } from '../../contracts/search.ts';
import { drawFrom, isWithin } from './draw.ts';
import { pointOf } from './sequence.ts';

/** Points that are looked at for each trial, before a space is taken for exhausted. */
const PATIENCE = 16;

/**
 * The points of a search: first the configuration as it is, where the space holds it, so that a search is not worse than
 * no search; then those of a quasi-random sequence. Point n follows from the seed and n alone. Points that give the same
 * configuration are tried once: a small space gives fewer trials than were asked for.
 */
export function planTrials({ train, space, budget }: SearchInput): SearchValues[] {
  const paths = Object.keys(space).sort();
  const trials = new Map<string, SearchValues>();
  const add = (values: SearchValues): void => {
    const configuration = JSON.stringify(withValues(train, values));
    if (!trials.has(configuration)) trials.set(configuration, values);
  };
  const present = presentValues(train, space);
  if (present !== undefined) add(present);
  for (let index = 0; index < PATIENCE * budget.trials && trials.size < budget.trials; index += 1) {
    const point = pointOf(train.seed, index, paths);
    add(Object.fromEntries(paths.map((path, axis) => [path, valueOf(space, path, point[axis] ?? 0)])));
  }
  return [...trials.values()];
}

function valueOf(space: SearchSpace, path: string, u: number): number | string {
  const range = space[path];
  if (range === undefined) throw new TypeError(`the space has no ${path}`);
  return drawFrom(range, u);
}

/** @returns undefined where a field lies outside its range, or is one of another type of optimiser */
function presentValues(train: SearchInput['train'], space: SearchSpace): SearchValues | undefined {
  const values: SearchValues = {};
  for (const [path, range] of Object.entries(space)) {
    let node: unknown = train;
    for (const step of path.split('.')) node = (node as Record<string, unknown> | undefined)?.[step];
    if (!isWithin(range, node)) return undefined;
    values[path] = node;
  }
  return values;
}
