import { median } from '../figure.ts';
import type { Contestant, Measurement } from './contestants.ts';
import type { BenchNetwork } from './networks.ts';

export interface Comparison {
  readonly ours: string;
  readonly theirs: string;
  readonly oursPerSecond: number;
  readonly theirsPerSecond: number;
  /** Our time over theirs for the same work; the median of the rounds. */
  readonly ratio: number;
  readonly ratios: readonly number[];
  readonly peakRssBytes: number;
}

const TRIALS = 2;
const ROUNDS = 5;

/**
 * Finds each side's best setting, then lets the two run in turn: whatever else the machine does meets both sides of a
 * round, so its ratio says more than either time.
 */
export async function compare(
  network: BenchNetwork,
  ours: readonly Contestant[],
  theirs: readonly Contestant[],
  say: (line: string) => void,
): Promise<Comparison> {
  const own = await best(network, ours, say);
  const other = await best(network, theirs, say);
  const rounds: { own: Measurement; other: Measurement }[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    rounds.push({ own: await own.run(network), other: await other.run(network) });
  }
  const ratios = rounds.map((round) => round.other.samplesPerSecond / round.own.samplesPerSecond);
  return {
    ours: own.setting,
    theirs: other.setting,
    oursPerSecond: median(rounds.map((round) => round.own.samplesPerSecond)),
    theirsPerSecond: median(rounds.map((round) => round.other.samplesPerSecond)),
    ratio: median(ratios),
    ratios,
    peakRssBytes: Math.max(...rounds.map((round) => round.own.peakRssBytes)),
  };
}

async function best(
  network: BenchNetwork,
  contestants: readonly Contestant[],
  say: (line: string) => void,
): Promise<Contestant> {
  const speeds = new Map<Contestant, number>();
  for (let trial = 0; trial < TRIALS; trial += 1) {
    for (const contestant of contestants) {
      const { samplesPerSecond } = await contestant.run(network);
      speeds.set(contestant, Math.max(samplesPerSecond, speeds.get(contestant) ?? 0));
    }
  }
  const ordered = [...speeds].sort(([, a], [, b]) => b - a);
  const list = ordered.map(([{ setting }, speed]) => `${setting}: ${Math.round(speed)}/s`).join('; ');
  say(`${network.name}: ${list}`);
  const [winner] = ordered[0] ?? [];
  if (winner === undefined) throw new RangeError('nobody to compare');
  return winner;
}
