/** Something that ends at a time unless it is over before. */
export interface Ending {
  /** Milliseconds of the monotonic clock. */
  readonly endsAt: number;
  end(): void;
}

/** A timer is made for less; what takes longer is looked at as often. */
const SWEEP_MS = 1_000;

/**
 * Ends what takes too long. Nearly every request is over long before, and a timer of its own would cost it as much as
 * the parsing of its envelope: so all of them are looked at once a second.
 */
export class Deadlines {
  readonly #open = new Set<Ending>();
  #timer: NodeJS.Timeout | undefined;

  add(ending: Ending): void {
    this.#open.add(ending);
    this.#timer ??= setInterval(() => this.#sweep(), SWEEP_MS).unref();
  }

  delete(ending: Ending): void {
    this.#open.delete(ending);
  }

  #sweep(): void {
    const now = performance.now();
    for (const ending of this.#open) if (ending.endsAt <= now) ending.end();
    if (this.#open.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** Whether a wait is too short for `Deadlines`. */
export function isShort(milliseconds: number): boolean {
  return milliseconds < 5 * SWEEP_MS;
}
