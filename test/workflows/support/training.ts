import { afterAll, beforeAll } from '@jest/globals';
import { SaipError } from '../../../contracts/errors.ts';
import type { ErrorCode } from '../../../contracts/errors.ts';
import type { Progress } from '../../../contracts/progress.ts';
import type { TrainInput, TrainResult } from '../../../contracts/train-register-deploy.ts';
import { progressOf, startTraining } from './driver.ts';
import { startWorkflowTest } from './environment.ts';
import type { WorkflowTest } from './environment.ts';
import { trainInput } from './world.ts';
import type { AllActivities, World } from './world.ts';

export interface Trainings {
  /** Starts a training, with some activities replaced. */
  readonly start: (input?: TrainInput, changes?: Partial<AllActivities>) => ReturnType<typeof startTraining>;
  /** Runs a training to its end. */
  readonly train: (
    input?: TrainInput,
    changes?: Partial<AllActivities>,
  ) => Promise<{ readonly result: TrainResult; readonly progress: Progress }>;
}

/** Trainings against the world that `world` gives at the time; one test server for all of a file. */
export function useTrainings(world: () => World): Trainings {
  let test: WorkflowTest;
  beforeAll(async () => {
    test = await startWorkflowTest();
  });
  afterAll(() => test.close());
  const start: Trainings['start'] = (input = trainInput(), changes = {}) => {
    test.use(world().activities(changes));
    return startTraining(test.client, input);
  };
  return {
    start,
    async train(input, changes) {
      const handle = await start(input, changes);
      const result = await handle.result();
      return { result, progress: await progressOf(handle) };
    },
  };
}

/** An activity that fails with this code. */
export function fail(code: ErrorCode): () => Promise<never> {
  return () => Promise.reject(new SaipError(code, `because of ${code}`));
}
