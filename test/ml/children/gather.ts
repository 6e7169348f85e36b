import { serveChild } from '../../../lib/heavy/index.ts';
import { Exchange } from '../../../lib/ml/training/exchange.ts';
import type { ExchangeOptions } from '../../../lib/ml/training/exchange.ts';

interface Input extends ExchangeOptions {
  readonly rounds: number;
  /** Ends in the middle without a word. */
  readonly dies: boolean;
}

/** Exchanges [rank, round] in every round, and returns what it saw. */
serveChild(({ rounds, dies, ...options }: Input): number[][] => {
  const exchange = Exchange.open(options);
  const seen: number[][] = [];
  for (let round = 0; round < rounds; round += 1) {
    if (dies && round === 5) process.kill(process.pid, 'SIGKILL');
    seen.push(exchange.gather(options.rank, Float32Array.of(options.rank, round)).flatMap((vector) => [...vector]));
  }
  return seen;
});
