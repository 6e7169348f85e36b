/** Mean, deviation, least and greatest of a stream of numbers (Welford 1962). */
export class Moments {
  count = 0;
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;
  mean = 0;
  #squares = 0;

  add(value: number): void {
    this.count += 1;
    const before = value - this.mean;
    this.mean += before / this.count;
    this.#squares += before * (value - this.mean);
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
  }

  /** Standard deviation of the sample (n - 1); 0 for fewer than two values. */
  get std(): number {
    return this.count < 2 ? 0 : Math.sqrt(this.#squares / (this.count - 1));
  }
}

/** Pearson's correlation of a stream of pairs, by updated co-moments. */
export class Correlation {
  #count = 0;
  #meanX = 0;
  #meanY = 0;
  #xx = 0;
  #yy = 0;
  #xy = 0;

  add(x: number, y: number): void {
    this.#count += 1;
    const dx = x - this.#meanX;
    const dy = y - this.#meanY;
    this.#meanX += dx / this.#count;
    this.#meanY += dy / this.#count;
    this.#xx += dx * (x - this.#meanX);
    this.#yy += dy * (y - this.#meanY);
    this.#xy += dx * (y - this.#meanY);
  }

  /** -1..1; 0 where either side has one value only. */
  get r(): number {
    const scale = Math.sqrt(this.#xx) * Math.sqrt(this.#yy);
    return scale > 0 ? Math.max(-1, Math.min(1, this.#xy / scale)) : 0;
  }
}
