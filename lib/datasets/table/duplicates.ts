import { LIMITS } from './limits.ts';

const FIRST_SLOTS = 2 ** 12;
/** Part of the slots that may be taken before the table doubles. */
const LOAD = 0.75;

/**
 * Remembers rows by 64 bits of their digest, in an open table of 12 bytes a slot: 24 MiB for a million different rows,
 * 48 MiB at most. With n rows, some pair of different ones is taken for equal with a probability of n² / 2^65. When the
 * table is full it takes no new rows, and still knows the ones it has: `isComplete` then says no.
 */
export class SeenRows {
  #slots = FIRST_SLOTS;
  #high = new Uint32Array(FIRST_SLOTS);
  #low = new Uint32Array(FIRST_SLOTS);
  /** Label of the first row of its kind, plus one; 0 marks a free slot. */
  #label = new Uint32Array(FIRST_SLOTS);
  #count = 0;
  readonly #limit: number;
  isComplete = true;

  constructor(limit: number = LIMITS.digests) {
    this.#limit = limit;
  }

  /** @returns the label of the first row with this digest, or undefined where this is the first */
  see(digest: Buffer, label: number): number | undefined {
    const high = digest.readUInt32LE(0);
    const low = digest.readUInt32LE(4);
    const slot = this.#find(high, low);
    const known = this.#label[slot] ?? 0;
    if (known > 0) return known - 1;
    if (this.#count >= this.#limit) {
      this.isComplete = false;
      return undefined;
    }
    this.#put(slot, high, low, label + 1);
    this.#count += 1;
    if (this.#count > this.#slots * LOAD) this.#grow();
    return undefined;
  }

  #find(high: number, low: number): number {
    let slot = (low ^ high) & (this.#slots - 1);
    while ((this.#label[slot] ?? 0) > 0 && (this.#high[slot] !== high || this.#low[slot] !== low)) {
      slot = (slot + 1) & (this.#slots - 1);
    }
    return slot;
  }

  #put(slot: number, high: number, low: number, label: number): void {
    this.#high[slot] = high;
    this.#low[slot] = low;
    this.#label[slot] = label;
  }

  #grow(): void {
    const [high, low, label] = [this.#high, this.#low, this.#label];
    this.#slots *= 2;
    this.#high = new Uint32Array(this.#slots);
    this.#low = new Uint32Array(this.#slots);
    this.#label = new Uint32Array(this.#slots);
    for (const [index, known] of label.entries()) {
      if (known === 0) continue;
      const [h, l] = [high[index] ?? 0, low[index] ?? 0];
      this.#put(this.#find(h, l), h, l, known);
    }
  }
}
