import { numberOf } from './cells.ts';
import { LIMITS } from './limits.ts';
import { Reservoir } from './reservoir.ts';

export interface SeenCell {
  readonly line: number;
  readonly text: string;
}

/** Characters that all columns together may still hold. */
export interface TextBudget {
  left: number;
}

/** What the cells of one column show, read once; bounded by the limits whatever they hold. */
export class ColumnEvidence {
  readonly name: string;
  readonly sample: Reservoir;
  values = 0;
  missing = 0;
  firstMissing: number | undefined;
  numbers = 0;
  integers = 0;
  /** The first cell that is no number. */
  notNumber: SeenCell | undefined;
  /** Cells too long for a category. */
  long = 0;
  /** Every value so far differed from all others, as far as they were remembered. */
  unique = true;
  /** Value → cells; undefined once there were too many different ones. */
  #counts: Map<string, number> | undefined = new Map();

  constructor(name: string, sampleSize: number) {
    this.name = name;
    this.sample = new Reservoir(sampleSize);
  }

  get counts(): ReadonlyMap<string, number> | undefined {
    return this.#counts;
  }

  addMissing(line: number): void {
    this.missing += 1;
    this.firstMissing ??= line;
  }

  /** @returns false when the text of different values takes more than all columns together may hold */
  add(text: string, line: number, budget: TextBudget): boolean {
    this.values += 1;
    const number = numberOf(text);
    if (number === undefined) {
      this.notNumber ??= { line, text };
    } else {
      this.numbers += 1;
      if (Number.isInteger(number)) this.integers += 1;
      this.sample.add(number);
    }
    if (text.length > LIMITS.category) this.long += 1;
    return this.#remember(text, budget);
  }

  #remember(text: string, budget: TextBudget): boolean {
    const counts = this.#counts;
    if (counts === undefined) return true;
    const known = counts.get(text);
    if (known !== undefined) {
      this.unique = false;
      counts.set(text, known + 1);
      return true;
    }
    if (counts.size >= LIMITS.distinct || text.length > LIMITS.category) {
      for (const held of counts.keys()) budget.left += held.length;
      this.#counts = undefined;
      return true;
    }
    budget.left -= text.length;
    counts.set(text, 1);
    return budget.left >= 0;
  }
}
