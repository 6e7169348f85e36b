import type { LiftedNumbers } from './lift-numbers.ts';
import { flatten, hasShape } from './shape.ts';

/** `data` of an input as JSON has it, flat or nested. */
export interface JsonData {
  /**
   * The elements in a row.
   * @throws {ApiError} `TENSOR_INVALID` where there are not as many as the shape says, or nested otherwise
   */
  flat(shape: readonly number[], length: number, field: string): ArrayLike<unknown>;
  /** The same, with integers that a double cannot hold as strings of their digits. */
  exact(shape: readonly number[], length: number, field: string): ArrayLike<unknown>;
}

/** What a parser made of it. */
export class ParsedData implements JsonData {
  readonly #values: readonly unknown[];
  readonly #exact: () => readonly unknown[];

  constructor(values: readonly unknown[], exact: () => readonly unknown[]) {
    this.#values = values;
    this.#exact = exact;
  }

  flat(shape: readonly number[], length: number, field: string): readonly unknown[] {
    return flatten(this.#values, shape, length, field);
  }

  exact(shape: readonly number[], length: number, field: string): readonly unknown[] {
    return flatten(this.#exact(), shape, length, field);
  }
}

/** Numbers that no parser made values of; each of them is exact. */
export class LiftedData implements JsonData {
  readonly #lifted: LiftedNumbers;

  constructor(lifted: LiftedNumbers) {
    this.#lifted = lifted;
  }

  flat(shape: readonly number[], length: number, field: string): ArrayLike<unknown> {
    const { numbers, dims } = this.#lifted;
    if (dims.length === 1 ? numbers.length === length : hasShape(dims, shape)) return numbers;
    // Nested otherwise: refused, and that it is the parser's way to say why.
    return flatten(nested([...numbers], dims), shape, length, field);
  }

  exact(shape: readonly number[], length: number, field: string): ArrayLike<unknown> {
    return this.flat(shape, length, field);
  }
}

function nested(numbers: readonly number[], dims: readonly number[]): readonly unknown[] {
  const [size = 0, ...inner] = dims;
  if (inner.length === 0) return numbers;
  const each = numbers.length / size;
  return Array.from({ length: size }, (_, index) => nested(numbers.slice(index * each, (index + 1) * each), inner));
}
