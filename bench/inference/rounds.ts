import { median } from '../figure.ts';
import type { Contestant, Measured, RunOptions } from './contestants.ts';

const ROUNDS = 3;

/** What one contestant reached in every round. */
export type Rounds = readonly Measured[];

/**
 * Lets contestants run in turn, again and again: whatever else the machine does meets all of them in a round, so that
 * its ratios say more than any rate.
 */
export async function inTurn(
  contestants: readonly Contestant[],
  options: RunOptions = {},
  rounds = ROUNDS,
): Promise<Rounds[]> {
  const all: Measured[][] = contestants.map(() => []);
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, each] of contestants.entries()) all[index]?.push(await each.run(options));
  }
  return all;
}

export function middle(rounds: Rounds, of: (run: Measured) => number): number {
  return median(rounds.map(of));
}

/** The median of the ratios within each round. */
export function ratioOf(ours: Rounds, theirs: Rounds, of: (run: Measured) => number): number {
  return median(ours.map((run, round) => of(run) / of(theirs[round] ?? run)));
}
