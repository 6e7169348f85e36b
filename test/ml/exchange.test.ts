import { existsSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { runChild } from '../../lib/heavy/index.ts';
import { createExchange } from '../../lib/ml/training/exchange.ts';

const entry = new URL('./children/gather.ts', import.meta.url);
const ROUNDS = 200;

function start(ranks: number, dying?: number): { folder: string; runs: Promise<number[][]>[] } {
  const folder = createExchange(ranks, 2);
  const runs = Array.from({ length: ranks }, (_, rank) =>
    runChild<number[][]>({ entry, input: { folder, rank, ranks, length: 2, rounds: ROUNDS, dies: rank === dying } }),
  );
  return { folder, runs };
}

describe('Exchange', () => {
  it.each([2, 3])('shows %d ranks the same vectors in every round', async (ranks) => {
    const { folder, runs } = start(ranks);
    const all = Array.from({ length: ROUNDS }, (_, round) =>
      Array.from({ length: ranks }, (_rank, rank) => [rank, round]).flat(),
    );
    for (const seen of await Promise.all(runs)) expect(seen).toEqual(all);
    expect(existsSync(folder)).toBe(false);
  });

  it('tells the others when a rank dies', async () => {
    // Both at once: which of the two ends first is open.
    expect(await Promise.allSettled(start(2, 1).runs)).toMatchObject([
      { status: 'rejected', reason: { code: 'CHILD_CRASHED', field: 'replica 1' } },
      { status: 'rejected', reason: { code: 'CHILD_CRASHED' } },
    ]);
  });
});
