import type { TableFacts } from '../../../contracts/registry.ts';

type Facts = Pick<TableFacts, 'columns' | 'missing' | 'labels' | 'target'>;

/** Two numbers, of which one may be missing, and a category; two classes. */
export const FACTS: Facts = {
  columns: [
    { kind: 'numeric', name: 'age', integer: true, range: [0, 100] },
    { kind: 'numeric', name: 'income', integer: false, range: [0, 1000], imputed: 10 },
    { kind: 'categorical', name: 'town', categories: ['Bern', 'Basel, old'], nullable: true },
  ],
  missing: ['n/a'],
  labels: ['no', 'yes'],
};

export async function* pieces(text: string | Uint8Array, size = Number.POSITIVE_INFINITY): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += Math.min(size, bytes.length)) yield bytes.subarray(at, at + size);
}
