import type { EpochMeasure } from '../../../contracts/activities.ts';
import { setImmediate as turn } from 'node:timers/promises';
import { serveChild } from '../../heavy/index.ts';
import { GRADIENT_EXTRAS } from '../graph/network.ts';
import { loadTensorFlow } from '../native/addon.ts';
import { networkOf } from '../training/job.ts';
import type { TrainingJob } from '../training/job.ts';
import { Leader } from '../training/leader.ts';
import type { LeaderReport } from '../training/leader.ts';
import { CONTROL_NUMBERS, trainingLoop } from '../training/loop.ts';
import { Replica } from '../training/replica.ts';
import { startingPoint } from '../training/start.ts';
import { Team } from '../training/team.ts';

export interface TrainingChildResult {
  readonly step: number;
  readonly steps: number;
  /** Seconds in steps, over all attempts. */
  readonly seconds: number;
  readonly resumes: number;
  /** Files of a finished training; absent where a segment ended before the last step. */
  readonly files:
    { readonly weights: string; readonly history: string; readonly validation: EpochMeasure | undefined } | undefined;
  readonly backend: string;
  readonly tfVersion: string;
  /** Largest resident set of leader and replicas. */
  readonly peakRssBytes: number;
}

/** Rank 0 of a training. */
serveChild(
  async (
    job: TrainingJob,
    report: (value: LeaderReport) => void,
    ask: (value: LeaderReport) => Promise<unknown>,
  ): Promise<TrainingChildResult> => {
    const network = networkOf(job.model, job.manifest);
    const length = network.size + GRADIENT_EXTRAS + CONTROL_NUMBERS;
    const team = job.plan.replicas > 1 ? new Team(job, length) : undefined;
    report({ kind: 'phase', phase: 'loading TensorFlow' });
    // The replicas get their input in this turn; loading blocks.
    await turn();
    const { binding, backend, tfVersion } = loadTensorFlow();
    const replica = new Replica(binding, job, 0);
    const { state, position } = startingPoint(job, network);
    replica.state = state;
    report({ kind: 'phase', phase: 'waiting for replicas' });
    const exchange = await team?.meet();
    const leader = new Leader({ job, replica, position, report, ask });
    try {
      await trainingLoop({
        job,
        replica,
        rank: 0,
        exchange,
        start: position.step,
        stop: () => leader.stop(),
        onStep: (result) => leader.onStep(result),
      });
    } catch (error) {
      throw (await team?.explain(error)) ?? error;
    }
    const { summary } = leader;
    // A repetition may find itself beyond the epoch that it is to stop after.
    const files = summary.step >= summary.steps ? leader.finish() : undefined;
    const peakRssBytes = Math.max(process.resourceUsage().maxRSS * 1024, (await team?.end()) ?? 0);
    return { ...summary, files, backend, tfVersion, peakRssBytes };
  },
);
