import { LIMITS } from './limits.ts';
import { Correlation } from './moments.ts';

export interface Association {
  readonly measure: 'lambda' | 'pearson';
  readonly value: number;
}

/** How much a column alone tells of the target. */
export interface AssociationMeter {
  add(cell: string, value: number | undefined, target: number): void;
  result(): Association | undefined;
}

/** Counters that all columns together may still take. */
export interface PairBudget {
  left: number;
}

export function createPairBudget(): PairBudget {
  return { left: LIMITS.pairs };
}

/**
 * Goodman and Kruskal's lambda (1954): by how much knowing the value lowers the errors of guessing the label; 1 where
 * each value has one label. Undefined for fewer than ten rows a value, where it means nothing.
 */
export class LambdaMeter implements AssociationMeter {
  static readonly ROWS_OF_VALUE = 10;
  readonly #index: ReadonlyMap<string, number>;
  readonly #labels: number;
  readonly #counts: Uint32Array;
  #rows = 0;

  constructor(values: readonly string[], labels: number) {
    this.#index = new Map(values.map((value, index) => [value, index]));
    this.#labels = labels;
    this.#counts = new Uint32Array(values.length * labels);
  }

  add(cell: string, _value: number | undefined, target: number): void {
    const index = this.#index.get(cell);
    if (index === undefined) return;
    const at = index * this.#labels + target;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#rows += 1;
  }

  result(): Association | undefined {
    if (this.#rows < LambdaMeter.ROWS_OF_VALUE * this.#index.size) return undefined;
    const totals = new Float64Array(this.#labels);
    let best = 0;
    for (let from = 0; from < this.#counts.length; from += this.#labels) {
      const row = this.#counts.subarray(from, from + this.#labels);
      best += row.reduce((most, count) => Math.max(most, count), 0);
      for (const [label, count] of row.entries()) totals[label] = (totals[label] ?? 0) + count;
    }
    const blind = Math.max(...totals);
    return blind >= this.#rows ? undefined : { measure: 'lambda', value: (best - blind) / (this.#rows - blind) };
  }
}

/** Pearson's correlation with the target: its number, or the index of one of two classes. */
export class PearsonMeter implements AssociationMeter {
  readonly #correlation = new Correlation();

  add(_cell: string, value: number | undefined, target: number): void {
    if (value !== undefined) this.#correlation.add(value, target);
  }

  result(): Association {
    return { measure: 'pearson', value: this.#correlation.r };
  }
}
