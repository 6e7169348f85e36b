import { shapiroWilk } from './shapiro-wilk.ts';

export interface QueryDistancesOptions {
  /** Numbers of one query. */
  readonly width: number;
  /** Classes that the model tells apart. */
  readonly classes: number;
  /** Most bytes of queries that are kept; default 1 MiB. */
  readonly maxBytes?: number;
}

/** Distances that are looked at together, the newest. */
const WINDOW = 400;
/** With fewer nothing can be said (Juuti et al., section 5.1). */
const LEAST = 100;
/** Distances further from the mean than so many standard deviations are left out. */
const OUTLIER = 3;
const FEWEST_A_CLASS = 8;
/** The first distances of a class are long, because its set is small. */
const WARM_UP = 5;

interface ClassSet {
  /** Queries, oldest overwritten first. */
  readonly rows: Float32Array;
  count: number;
  next: number;
  /** Distances that were seen, and their mean. */
  seen: number;
  typical: number;
  /** Of the distances with which queries came in: how many, their mean, and the sum of squares around it. */
  admitted: number;
  mean: number;
  squares: number;
  threshold: number;
}

/**
 * Juuti, Szyller, Marchal and Asokan, "PRADA: Protecting Against DNN Model Stealing Attacks" (EuroS&P 2019), algorithm 1,
 * for a stream and in bounded memory. For each class it keeps queries that are far from one another; the distance of a
 * query to the nearest of its class is normally distributed for queries from nature, and is not for those that an
 * attacker derives from each other.
 *
 * Other than in the paper the sets and the list of distances are bounded, the oldest making room, and a query that was
 * made before says nothing: an attacker learns nothing by it, and a program that asks the same again is no attacker.
 * And distances are taken relative to the mean of their class: without that, classes of different width (ones and eights
 * of MNIST) make a mixture that is far from normal without any attack.
 */
export class QueryDistances {
  readonly #width: number;
  readonly #capacity: number;
  readonly #sets = new Map<number, ClassSet>();
  readonly #distances = new Float64Array(WINDOW);
  #seen = 0;

  constructor({ width, classes, maxBytes = 2 ** 20 }: QueryDistancesOptions) {
    this.#width = width;
    const rows = Math.floor(maxBytes / (width * Float32Array.BYTES_PER_ELEMENT));
    this.#capacity = Math.max(FEWEST_A_CLASS, Math.floor(rows / Math.max(1, classes)));
  }

  /** Distances in the window. */
  get count(): number {
    return Math.min(this.#seen, WINDOW);
  }

  /** @param row `width` numbers @param predicted the class that the model answered */
  add(row: Float32Array, predicted: number): void {
    const set = this.#sets.get(predicted) ?? this.#open(predicted);
    if (set.count === 0) {
      this.#keep(set, row);
      return;
    }
    const distance = this.#nearest(set, row);
    if (distance === 0 || !Number.isFinite(distance)) return;
    set.seen += 1;
    set.typical += (distance - set.typical) / set.seen;
    if (set.seen > WARM_UP) {
      this.#distances[this.#seen % WINDOW] = distance / set.typical;
      this.#seen += 1;
    }
    if (distance <= set.threshold) return;
    this.#keep(set, row);
    set.admitted += 1;
    const delta = distance - set.mean;
    set.mean += delta / set.admitted;
    set.squares += delta * (distance - set.mean);
    const deviation = Math.sqrt(set.squares / set.admitted);
    set.threshold = Math.max(set.threshold, set.mean - deviation);
  }

  /** Shapiro and Wilk's W of the distances without outliers; undefined while there are too few of them. */
  w(): number | undefined {
    if (this.count < LEAST) return undefined;
    const all = this.#distances.subarray(0, this.count);
    let sum = 0;
    for (const value of all) sum += value;
    const mean = sum / all.length;
    let squares = 0;
    for (const value of all) squares += (value - mean) ** 2;
    const deviation = Math.sqrt(squares / all.length);
    // All alike: nothing from nature is.
    if (deviation <= mean * 1e-6) return 0;
    return shapiroWilk(all.filter((value) => Math.abs(value - mean) <= OUTLIER * deviation));
  }

  #open(predicted: number): ClassSet {
    const rows = new Float32Array(this.#capacity * this.#width);
    const set = { rows, count: 0, next: 0, seen: 0, typical: 0, admitted: 0, mean: 0, squares: 0, threshold: 0 };
    this.#sets.set(predicted, set);
    return set;
  }

  #keep(set: ClassSet, row: Float32Array): void {
    set.rows.set(row, set.next * this.#width);
    set.next = (set.next + 1) % this.#capacity;
    set.count = Math.min(set.count + 1, this.#capacity);
  }

  /** Euclidean distance to the nearest query of the set. */
  #nearest({ rows, count }: ClassSet, row: Float32Array): number {
    const width = this.#width;
    let best = Number.POSITIVE_INFINITY;
    for (let start = 0; start < count * width; start += width) {
      let sum = 0;
      for (let index = 0; index < width && sum < best; index += 1) {
        const difference = (rows[start + index] ?? 0) - (row[index] ?? 0);
        sum += difference * difference;
      }
      if (sum < best) best = sum;
    }
    return Math.sqrt(best);
  }
}
