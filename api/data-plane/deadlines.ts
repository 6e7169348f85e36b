/** Something that ends at a time unless it is over before. */
export interface Ending {
  /** Milliseconds of the monotonic clock. */
  readonly endsAt: number;
  /** Where `Deadlines` keeps it; absent while it does not. */
  place?: number | undefined;
  end(): void;
}

/** A timer is made for less; what takes longer is looked at as often. */
const SWEEP_MS = 1_000;

/**
 * Ends what takes too long. Nearly every request is over long before, and a timer of its own would cost it as much as
 * the parsing of its envelope: so all of them are looked at once a second.
 */
export class Deadlines {
  /**
   * In no order. A `Set` to which every request is added and from which it is deleted gets a new table now and then, and
   * each old table points to the next: once one of them is old for the collector, so is all that comes after it.
   */
  readonly #open: Ending[] = [];
  #timer: NodeJS.Timeout | undefined;

  add(ending: Ending): void {
    ending.place = this.#open.push(ending) - 1;
    this.#timer ??= setInterval(() => this.#sweep(), SWEEP_MS).unref();
  }

  delete(ending: Ending): void {
    const { place } = ending;
    if (place === undefined) return;
    ending.place = undefined;
    const last = this.#open.pop();
    if (last === undefined || last === ending) return;
    this.#open[place] = last;
    last.place = place;
  }

  #sweep(): void {
    const now = performance.now();
    // Those that end go out of the list, and may take others with them.
    for (const ending of this.#open.filter(({ endsAt }) => endsAt <= now)) if (ending.place !== undefined) ending.end();
    if (this.#open.length > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** Whether a wait is too short for `Deadlines`. */
export function isShort(milliseconds: number): boolean {
  return milliseconds < 5 * SWEEP_MS;
}
