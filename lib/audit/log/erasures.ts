import { z } from 'zod';
import type { PersonalState } from './source.ts';

/** Actions whose records explain that personal data is gone. */
export const ERASURE_ACTIONS: ReadonlySet<string> = new Set(['audit:erase', 'audit:retention']);

const Leaf = z.object({ id: z.string(), action: z.string(), personal: z.string() });

/** Follows who erased what: an erasure without a record in the log itself is damage. */
export class ErasureCheck {
  readonly #records = new Set<string>();
  /** Id of a record that has to be there → the first leaf that it explains. */
  readonly #needed = new Map<string, number>();

  /** @returns the commitment that the leaf holds, in hexadecimal digits; undefined where it is no leaf of this form */
  see(leaf: number, entry: Buffer, state: PersonalState | undefined): string | undefined {
    const parsed = Leaf.safeParse(parseJson(entry));
    if (parsed.success && ERASURE_ACTIONS.has(parsed.data.action)) this.#records.add(parsed.data.id);
    if (state !== undefined && 'erasedBy' in state && !this.#needed.has(state.erasedBy)) {
      this.#needed.set(state.erasedBy, leaf);
    }
    return parsed.data?.personal;
  }

  /** The first leaf whose erasure no record explains. */
  unexplained(): number | undefined {
    return [...this.#needed].find(([id]) => !this.#records.has(id))?.[1];
  }
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
