/** A softmax regression in plain arithmetic: small enough to be trained within a test, by owner and thief alike. */
export class SoftmaxRegression {
  readonly #weights: Float64Array;
  readonly #inputs: number;
  readonly #classes: number;

  constructor(inputs: number, classes: number) {
    this.#inputs = inputs;
    this.#classes = classes;
    this.#weights = new Float64Array((inputs + 1) * classes);
  }

  probabilities(x: ArrayLike<number>): Float64Array {
    const scores = new Float64Array(this.#classes);
    for (let c = 0; c < this.#classes; c += 1) {
      const start = c * (this.#inputs + 1);
      let sum = this.#weights[start + this.#inputs] ?? 0;
      for (let i = 0; i < this.#inputs; i += 1) sum += (this.#weights[start + i] ?? 0) * ((x[i] ?? 0) / 255);
      scores[c] = sum;
    }
    const most = Math.max(...scores);
    const powers = scores.map((score) => Math.exp(score - most));
    const total = powers.reduce((sum, power) => sum + power, 0);
    return powers.map((power) => power / total);
  }

  predict(x: ArrayLike<number>): number {
    const p = this.probabilities(x);
    return p.indexOf(Math.max(...p));
  }

  /** Plain stochastic gradient descent in the order given. */
  fit(samples: readonly { readonly x: ArrayLike<number>; readonly y: number }[], epochs: number, rate = 0.05): void {
    for (let epoch = 0; epoch < epochs; epoch += 1) {
      for (const { x, y } of samples) {
        const p = this.probabilities(x);
        for (let c = 0; c < this.#classes; c += 1) {
          const step = rate * ((p[c] ?? 0) - (c === y ? 1 : 0));
          if (Math.abs(step) < 1e-6) continue;
          const start = c * (this.#inputs + 1);
          for (let i = 0; i < this.#inputs; i += 1) {
            this.#weights[start + i] = (this.#weights[start + i] ?? 0) - step * ((x[i] ?? 0) / 255);
          }
          this.#weights[start + this.#inputs] = (this.#weights[start + this.#inputs] ?? 0) - step;
        }
      }
    }
  }

  /** Derivative of the probability of a class by each input, up to a positive factor. */
  gradient(x: ArrayLike<number>, y: number): Float64Array {
    const p = this.probabilities(x);
    const at = (c: number, i: number): number => this.#weights[c * (this.#inputs + 1) + i] ?? 0;
    return Float64Array.from({ length: this.#inputs }, (_, i) => {
      let mean = 0;
      for (let c = 0; c < this.#classes; c += 1) mean += (p[c] ?? 0) * at(c, i);
      return at(y, i) - mean;
    });
  }
}
