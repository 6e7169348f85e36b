/** Samples with the answers that a thief got: row-major float32. */
export interface Answered {
  readonly x: Float32Array;
  /** A distribution over the classes for each sample. */
  readonly y: Float32Array;
  readonly count: number;
}

/** What a thief knows, which only grows: its own samples first, then those it made. */
export class Known {
  readonly #x: Float32Array;
  readonly #y: Float32Array;
  readonly #size: number;
  readonly #classes: number;
  count = 0;

  /** @param most samples that there will be */
  constructor(most: number, { size, classes }: { readonly size: number; readonly classes: number }) {
    this.#size = size;
    this.#classes = classes;
    this.#x = new Float32Array(most * size);
    this.#y = new Float32Array(most * classes);
  }

  add(x: Float32Array, y: Float32Array): void {
    this.#x.set(x, this.count * this.#size);
    this.#y.set(y, this.count * this.#classes);
    this.count += x.length / this.#size;
  }

  get all(): Answered {
    return this.from(0);
  }

  /** Without copying. */
  from(begin: number): Answered {
    return {
      x: this.#x.subarray(begin * this.#size, this.count * this.#size),
      y: this.#y.subarray(begin * this.#classes, this.count * this.#classes),
      count: this.count - begin,
    };
  }

  pick(indices: Uint32Array): Answered {
    const x = new Float32Array(indices.length * this.#size);
    const y = new Float32Array(indices.length * this.#classes);
    indices.forEach((index, row) => {
      x.set(this.#x.subarray(index * this.#size, (index + 1) * this.#size), row * this.#size);
      y.set(this.#y.subarray(index * this.#classes, (index + 1) * this.#classes), row * this.#classes);
    });
    return { x, y, count: indices.length };
  }
}
