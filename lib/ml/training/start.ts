import { readFileSync } from 'node:fs';
import { accumulatorNames } from '../graph/optimizer.ts';
import { initialParameters } from '../parameters.ts';
import { decodeCheckpoint } from './checkpoint.ts';
import type { Identity, Position } from './checkpoint.ts';
import type { Network, TrainingJob } from './job.ts';
import type { ReplicaState } from './replica.ts';

export function identityOf({ digest, deviceClass, plan }: TrainingJob): Identity {
  return { digest, deviceClass, replicas: plan.replicas, threads: plan.threads };
}

/** Where a training starts: at its checkpoint, or at the initial weights of its seed. */
export function startingPoint(job: TrainingJob, network: Network): { state: ReplicaState; position: Position } {
  const names = accumulatorNames(job.training.optimizer);
  if (job.checkpoint !== undefined) {
    return decodeCheckpoint(readFileSync(job.checkpoint), network.parameters, names, identityOf(job));
  }
  const zeros = names.map((name) => [name, new Float32Array(network.size)]);
  return {
    state: {
      weights: initialParameters(network.parameters, job.seed),
      accumulators: Object.fromEntries(zeros) as Record<string, Float32Array>,
    },
    position: {
      step: 0,
      seconds: 0,
      resumes: 0,
      history: { window: { loss: 0, right: 0, samples: 0, seconds: 0 }, lines: '' },
    },
  };
}
