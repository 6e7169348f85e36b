import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Context } from '@temporalio/activity';
import type { GpuActivities } from '../../contracts/activities.ts';
import { SaipError } from '../../contracts/errors.ts';
import { SEARCH_STAGES, SearchInput } from '../../contracts/search.ts';
import { blocking, failureType, progressOf, startSearch, untilProgress } from './support/driver.ts';
import { startWorkflowTest } from './support/environment.ts';
import type { WorkflowTest } from './support/environment.ts';
import { ref, trainInput, World } from './support/world.ts';
import type { AllActivities } from './support/world.ts';

let test: WorkflowTest;
let world: World;
beforeAll(async () => {
  test = await startWorkflowTest();
});
afterAll(() => test.close());
beforeEach(() => {
  world = new World();
});

/** The space of the test gives trial n the batch size n. */
function searchInput(budget: object = {}, train: Parameters<typeof trainInput>[0] = {}): SearchInput {
  return SearchInput.parse({
    train: trainInput({ ...train, training: { ...trainInput().training, epochs: 9 } }),
    space: { 'training.batchSize': { kind: 'int', low: 1, high: 256 } },
    objective: 'loss',
    budget: { trials: 9, minEpochs: 1, eta: 3, parallel: 1, minutes: 60, ...budget },
  });
}

type Train = GpuActivities['trainModel'];

/** Trains by looking up losses of the trials, and keeps a log such as `3@1`: trial 3 up to epoch 1. */
function losses(
  log: string[],
  of: readonly number[],
  also?: (trial: number, epoch: number) => Promise<void> | void,
): Train {
  return async ({ training, stopAfterEpoch = training.epochs }) => {
    const trial = training.batchSize;
    log.push(`${trial}@${stopAfterEpoch}`);
    await also?.(trial, stopAfterEpoch);
    const loss = (of[trial - 1] ?? 1) / stopAfterEpoch;
    return {
      weights: ref(`weights ${trial}`),
      history: ref(`history ${trial}`),
      steps: stopAfterEpoch * 10,
      seconds: stopAfterEpoch,
      tags: {},
      validation: { epoch: stopAfterEpoch, loss, accuracy: 1 - loss / 10 },
    };
  };
}

async function search(input: SearchInput, changes: Partial<AllActivities>) {
  test.use(world.activities(changes));
  const handle = await startSearch(test.client, input);
  const result = await handle.result();
  return { handle, result, progress: await progressOf(handle) };
}

const LOSSES = [5, 3, 4, 2, 9, 8, 1, 7, 6];

describe('a search', () => {
  it('promotes by successive halving, and trains the winner under the key of its trial', async () => {
    const log: string[] = [];
    const keys: string[] = [];
    const lookup = losses(log, LOSSES);
    const { handle, result, progress } = await search(searchInput(), {
      trainModel: (argument) => {
        keys.push(argument.run.key);
        return lookup(argument);
      },
    });
    // The last one is the winner's own training, over all epochs.
    const expected = ['1@1', '2@1', '3@1', '2@3', '4@1', '4@3', '5@1', '6@1', '7@1', '7@3', '7@9', '8@1', '9@1', '7@9'];
    expect(log).toEqual(expected);
    expect(keys.at(-1)).toBe(`${handle.workflowId}-trial-7`);
    expect(new Set(keys.filter((_, index) => log[index]?.startsWith('7@'))).size).toBe(1);
    expect(result).toMatchObject({
      outcome: 'completed',
      reasons: [],
      rungs: [1, 3, 9],
      winner: { trial: 7, trainingWorkflowId: `${handle.workflowId}-trial-7` },
      trained: { outcome: 'completed', alias: 'champion' },
      spent: { trials: 9, epochs: 6 + 3 + 3 + 9, endedBy: 'trials' },
      mlflow: { runId: 'search-run' },
    });
    expect(result.trials.map(({ state }) => state)).toEqual([
      ...['stopped', 'promoted', 'stopped', 'promoted', 'stopped', 'stopped', 'won', 'stopped', 'stopped'],
    ]);
    expect(result.trials[6]?.measures.map(({ epoch }) => epoch)).toEqual([1, 3, 9]);
    expect(progress).toMatchObject({
      outcome: 'completed',
      percent: 100,
      metrics: { trials: 9, bestValidationLoss: 1 / 9 },
    });
    expect(progress.stages.map(({ name, status }) => [name, status])).toEqual(
      SEARCH_STAGES.map((name) => [name, 'done']),
    );
    expect(world.aliases.get('champion')).toBe('1');
    expect(world.audited).toContain('trainer-1 workflow:search completed');
    expect(world.searched).toMatchObject([{ outcome: 'completed', trained: { runId: 'run-1' }, winner: { trial: 7 } }]);
  });

  it('of a regression compares the RMSE, and asks for the data set of its tenant', async () => {
    const regression = async ({ training, stopAfterEpoch = training.epochs }: Parameters<Train>[0]) => {
      const loss = (LOSSES[training.batchSize - 1] ?? 1) / stopAfterEpoch;
      const rmse = 10 * Math.sqrt(loss);
      return {
        ...{ weights: ref('weights'), history: ref('history'), steps: 10, seconds: 1, tags: {} },
        validation: { epoch: stopAfterEpoch, loss, rmse, r2: 1 - loss },
      };
    };
    const best = { rmse: 10 * Math.sqrt(1 / 9), r2: 1 - 1 / 9 };
    const input = { ...searchInput({}, { tenant: 'acme' }), objective: 'rmse' as const };
    const { result, progress } = await search(input, { trainModel: regression });
    expect(result).toMatchObject({ outcome: 'completed', objective: 'rmse', winner: { trial: 7 } });
    expect(result.trials[6]?.measures.at(-1)).toMatchObject({ epoch: 9, rmse: best.rmse, r2: best.r2 });
    expect(result.trials[6]?.measures.at(-1)).not.toHaveProperty('accuracy');
    expect(progress.metrics).toMatchObject({ bestValidationRmse: best.rmse, bestValidationR2: best.r2 });
    expect(progress.stages[1]?.detail).toContain('trial 7 wins: RMSE 3.3333, R² 0.8889 after 9 epochs');
    for (const name of ['verifyDataCard', 'prepareData']) expect(world.ran[name]).toMatchObject({ tenant: 'acme' });
  });

  it('touches the test set once, for the winner', async () => {
    await search(searchInput({ trials: 3 }), { trainModel: losses([], LOSSES) });
    expect(world.counts()).toMatchObject({ evaluateModel: 1, exportOnnx: 1, signModel: 1, prepareData: 2 });
  });

  it('runs as many trials at a time as was asked for, and shows them', async () => {
    const slow = blocking();
    test.use(
      world.activities({
        trainModel: losses([], LOSSES, (trial) => (trial === 2 ? slow.activity() : undefined)),
      }),
    );
    const handle = await startSearch(test.client, searchInput({ parallel: 2, trials: 3 }));
    const detail = /2 of 3 trials tried · in flight: 2 \(up to epoch 1\) · best: trial 3, loss 4\.0000/;
    const shown = await untilProgress(handle, ({ stages }) => detail.test(stages[1]?.detail ?? ''));
    expect(shown.metrics).toMatchObject({ trials: 2, bestValidationLoss: 4 });
    await handle.executeUpdate('cancel', { args: [{ reason: 'seen' }] });
    expect((await handle.result()).outcome).toBe('cancelled');
  });

  it('counts a trial that fails, and goes on', async () => {
    const diverges = (trial: number, epoch: number): void => {
      if (trial === 1) throw new SaipError('TRAINING_DIVERGED', 'the loss is NaN at step 3');
      if (trial === 7 && epoch === 3) throw new SaipError('TRAINING_DIVERGED', 'the loss is NaN at step 20');
    };
    const { result } = await search(searchInput(), { trainModel: losses([], LOSSES, diverges) });
    expect(result.outcome).toBe('completed');
    expect(result.trials.filter(({ state }) => state === 'failed')).toMatchObject([
      { trial: 1, measures: [], reason: 'TRAINING_DIVERGED: the loss is NaN at step 3' },
      { trial: 7, measures: [{ epoch: 1 }], reason: 'TRAINING_DIVERGED: the loss is NaN at step 20' },
    ]);
    // Nobody else may be promoted to the end: two were measured at the rung below.
    expect(result.winner?.trial).toBe(4);
  });

  it('takes a validation that is not finite for a failure', async () => {
    const lookup = losses([], LOSSES);
    const trainModel: Train = async (argument) => {
      const trained = await lookup(argument);
      if (argument.training.batchSize !== 1 || 'continue' in trained) return trained;
      return { ...trained, validation: undefined };
    };
    const { result } = await search(searchInput({ trials: 2 }), { trainModel });
    expect(result.trials[0]).toMatchObject({ state: 'failed', reason: expect.stringContaining('TRAINING_DIVERGED') });
    expect(result.winner?.trial).toBe(2);
  });

  it('fails as a whole when every trial fails, with a report', async () => {
    const trainModel: Train = async () => {
      throw new SaipError('MODEL_CONFIG_INVALID', 'layer 1 does not fit');
    };
    test.use(world.activities({ trainModel }));
    const handle = await startSearch(test.client, searchInput({ trials: 2 }));
    expect(await failureType(handle.result())).toBe('SEARCH_FAILED');
    expect(world.searched).toMatchObject([{ outcome: 'failed', trials: [{ state: 'failed' }, { state: 'failed' }] }]);
    expect(world.audited).toContain('trainer-1 workflow:search failed');
    expect(world.counts()).not.toHaveProperty('evaluateModel');
  });

  it('is rejected with the reasons of the gates when the winner does not pass, and reports', async () => {
    world.accuracy = 0.5;
    const { result } = await search(searchInput({ trials: 2 }), { trainModel: losses([], LOSSES) });
    expect(result).toMatchObject({ outcome: 'rejected', trained: { outcome: 'rejected' }, winner: { trial: 2 } });
    expect(result.reasons.join()).toContain('minAccuracy');
    expect(world.searched).toMatchObject([{ outcome: 'rejected' }]);
    expect(world.aliases.get('champion')).toBeUndefined();
  });

  it('ends well when the report cannot be written, and says so', async () => {
    const reportSearch = async (): Promise<never> => {
      throw new SaipError('MLFLOW_REJECTED', 'no');
    };
    const { result } = await search(searchInput({ trials: 1 }), { trainModel: losses([], LOSSES), reportSearch });
    expect(result.outcome).toBe('completed');
    expect(result.reasons.join()).toContain('Not recorded: table and curves of the search (MLFLOW_REJECTED');
  });
});

/** Between its attempts, time is skipped; those take longer than a minute. */
const crashing = async (): Promise<never> => {
  throw new SaipError('CHILD_CRASHED', 'the child died');
};

describe('a search out of time', () => {
  it('cuts off what runs, and the best so far wins', async () => {
    const stuck: Train = (argument) => {
      const { training, stopAfterEpoch } = argument;
      if (training.batchSize === 3 && stopAfterEpoch === 1) return crashing();
      return losses([], LOSSES)(argument);
    };
    const { result } = await search(searchInput({ minutes: 1, trials: 5 }), { trainModel: stuck });
    expect(result).toMatchObject({
      outcome: 'completed',
      winner: { trial: 2 },
      spent: { trials: 3, epochs: 2, endedBy: 'minutes' },
    });
    expect(result.spent?.wallSeconds).toBeGreaterThanOrEqual(60);
    expect(result.trials[2]).toMatchObject({ state: 'stopped', measures: [], reason: 'cut off' });
  });

  it('is rejected when nothing was measured', async () => {
    const { result } = await search(searchInput({ minutes: 1 }), { trainModel: crashing });
    expect(result).toMatchObject({
      outcome: 'rejected',
      reasons: ['the budget of 1 minutes ran out before a trial was measured'],
      spent: { endedBy: 'minutes' },
    });
    expect(result.winner).toBeUndefined();
  });
});

describe('cancelling a search', () => {
  it('ends the trials, frees the devices, and reports what was tried', async () => {
    const slow = blocking();
    let cancelled = 0;
    const trainModel: Train = (argument) => {
      if (argument.training.batchSize !== 2) return losses([], LOSSES)(argument);
      void Context.current().cancelled.catch(() => (cancelled += 1));
      return slow.activity();
    };
    test.use(world.activities({ trainModel }));
    const handle = await startSearch(test.client, searchInput());
    await slow.reached;
    await handle.executeUpdate('cancel', { args: [{ reason: 'enough' }] });
    const result = await handle.result();
    expect(result).toMatchObject({ outcome: 'cancelled', reasons: ['enough'], spent: { trials: 2, epochs: 1 } });
    expect(cancelled).toBe(1);
    const child = test.client.workflow.getHandle(`${handle.workflowId}-trial-2-rung-0`);
    expect((await child.describe()).status.name).toBe('CANCELLED');
    expect(world.searched).toMatchObject([{ outcome: 'cancelled' }]);
    expect(world.counts()).not.toHaveProperty('evaluateModel');
  });

  it('counts a trial that somebody cancels by itself as failed', async () => {
    const slow = blocking();
    const trainModel: Train = (argument) =>
      argument.training.batchSize === 1 ? slow.activity() : losses([], LOSSES)(argument);
    test.use(world.activities({ trainModel }));
    const handle = await startSearch(test.client, searchInput({ trials: 2 }));
    await slow.reached;
    const child = test.client.workflow.getHandle(`${handle.workflowId}-trial-1-rung-0`);
    await child.executeUpdate('cancel', { args: [{ reason: 'hopeless' }] });
    const result = await handle.result();
    expect(result).toMatchObject({ outcome: 'completed', winner: { trial: 2 } });
    expect(result.trials[0]).toMatchObject({ state: 'failed', reason: 'hopeless' });
  });
});
