const WINDOW = 512;
const LEAST = 200;

/** The share of rows for which something holds, over the newest 512 of them. */
export class ShareWindow {
  readonly #marks = new Uint8Array(WINDOW);
  #seen = 0;
  #marked = 0;

  add(marked: boolean): void {
    const at = this.#seen % WINDOW;
    this.#marked += Number(marked) - (this.#marks[at] ?? 0);
    this.#marks[at] = Number(marked);
    this.#seen += 1;
  }

  get count(): number {
    return Math.min(this.#seen, WINDOW);
  }

  /** Undefined while too few were seen. */
  share(): number | undefined {
    return this.#seen < LEAST ? undefined : this.#marked / this.count;
  }
}
