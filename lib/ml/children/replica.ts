import { serveChild } from '../../heavy/index.ts';
import { loadTensorFlow } from '../native/addon.ts';
import { Exchange } from '../training/exchange.ts';
import type { ExchangeOptions } from '../training/exchange.ts';
import type { TrainingJob } from '../training/job.ts';
import { trainingLoop } from '../training/loop.ts';
import { Replica } from '../training/replica.ts';
import { startingPoint } from '../training/start.ts';

export interface ReplicaInput {
  readonly job: TrainingJob;
  readonly exchange: ExchangeOptions;
}

export interface ReplicaResult {
  readonly peakRssBytes: number;
}

/** A data-parallel copy beside the leader. It asks once, when it is ready to meet the others. */
serveChild(async ({ job, exchange }: ReplicaInput, _report, ask: (value: 'ready') => Promise<unknown>) => {
  const replica = new Replica(loadTensorFlow().binding, job, exchange.rank);
  const { state, position } = startingPoint(job, replica.network);
  replica.state = state;
  await ask('ready');
  const opened = Exchange.open(exchange);
  await trainingLoop({ job, replica, rank: exchange.rank, exchange: opened, start: position.step });
  return { peakRssBytes: process.resourceUsage().maxRSS * 1024 } satisfies ReplicaResult;
});
