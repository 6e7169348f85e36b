import { beforeEach, describe, expect, it } from '@jest/globals';
import { SaipError } from '../../contracts/errors.ts';
import { TRAIN_STAGES } from '../../contracts/train-register-deploy.ts';
import type { TrainStage } from '../../contracts/train-register-deploy.ts';
import { blocking, failureType, progressOf, untilProgress } from './support/driver.ts';
import { fail, useTrainings } from './support/training.ts';
import { ref, trainInput, World } from './support/world.ts';
import type { AllActivities } from './support/world.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
const { start, train } = useTrainings(() => world);

describe('a training that succeeds', () => {
  it('asks for the data set of its tenant', async () => {
    await train(trainInput({ tenant: 'acme' }));
    for (const name of ['verifyDataCard', 'prepareData']) expect(world.ran[name]).toMatchObject({ tenant: 'acme' });
  });

  it('goes through every stage to the champion alias', async () => {
    const { result, progress } = await train();
    expect(result).toMatchObject({
      outcome: 'completed',
      reasons: [],
      weightsSha256: ref('weights').sha256,
      mlflow: { runId: 'run-1' },
      registered: { model: 'tiny', version: '1', digest: ref('model').sha256 },
      alias: 'champion',
    });
    expect(world.aliasLog).toEqual(['challenger=1', 'champion=1', 'challenger=']);
    expect(world.finished).toEqual([{ status: 'FINISHED', outcome: 'completed', reasons: [] }]);
    expect(progress).toMatchObject({ outcome: 'completed', percent: 100, metrics: { accuracy: 0.95 } });
    expect(progress.stages.map(({ name }) => name)).toEqual(TRAIN_STAGES);
    expect(progress.stages.filter(({ status }) => status !== 'done')).toEqual([
      expect.objectContaining({ name: 'approval', status: 'skipped' }),
    ]);
  });

  it('shows its stage as a search attribute and its report in Markdown', async () => {
    const handle = await start();
    await handle.result();
    const { typedSearchAttributes } = await handle.describe();
    expect(typedSearchAttributes.get({ name: 'SaipStage', type: 'KEYWORD' })).toBe('completed');
    const metadata = await handle.query<{ currentDetails: string }>('__temporal_workflow_metadata');
    expect(metadata.currentDetails).toContain('| ✓ | train | done |');
    expect(metadata.currentDetails).toContain('| accuracy | 0.95 |');
  });

  it('trains segment after segment until the model is done', async () => {
    world.segments = 4;
    const { result } = await train();
    expect(result.outcome).toBe('completed');
    expect(world.counts()).toMatchObject({ trainModel: 4, evaluateModel: 1 });
  });

  it('fails when segments make no progress', async () => {
    const stuck = async () => ({ continue: true as const, step: 100, steps: 422 });
    expect(await failureType(train(trainInput(), { trainModel: stuck }))).toBe('INTERNAL');
    expect(world.counts()['trainModel']).toBe(2);
  });

  it('registers without a rollout when none is asked for', async () => {
    const { result } = await train(trainInput({ rollout: false }));
    expect(result).toMatchObject({ outcome: 'completed', registered: { version: '1' } });
    expect(result.alias).toBeUndefined();
    expect(world.aliasLog).toEqual([]);
  });

  it('completes also when MLflow cannot be told, and says so', async () => {
    const { result } = await train(trainInput(), { finishRun: fail('MLFLOW_REJECTED') });
    expect(result.outcome).toBe('completed');
    expect(result.reasons).toEqual([expect.stringContaining('MLFLOW_REJECTED')]);
  });
});

describe('a training that gates refuse', () => {
  it('ends rejected with reasons, a finished MLflow run, and nothing registered', async () => {
    world.accuracy = 0.5;
    const { result, progress } = await train();
    expect(result).toMatchObject({
      outcome: 'rejected',
      reasons: ['minAccuracy: accuracy 0.5 against 0.9'],
      gates: [{ name: 'minAccuracy', passed: false }],
    });
    expect(world.finished).toMatchObject([{ status: 'FINISHED', outcome: 'rejected' }]);
    expect(world.counts()).not.toHaveProperty('signModel');
    expect(progress.stages.at(-1)).toMatchObject({ name: 'rollout', status: 'skipped' });
  });
});

describe('retries', () => {
  it('repeats what a repetition can mend', async () => {
    let attempts = 0;
    const { result } = await train(trainInput(), {
      exportOnnx: async () => {
        attempts += 1;
        if (attempts < 4) throw new SaipError('CHILD_CRASHED', 'The child died.');
        return { onnx: ref('onnx'), maxAbsDifference: 0, samples: 1 };
      },
    });
    expect(result.outcome).toBe('completed');
    expect(attempts).toBe(4);
  });

  it('gives up on a child that crashes again and again', async () => {
    expect(await failureType(train(trainInput(), { trainModel: fail('CHILD_CRASHED') }))).toBe('CHILD_CRASHED');
    expect(world.counts()['trainModel']).toBe(8);
  });

  it('does not repeat what a repetition cannot mend', async () => {
    expect(await failureType(train(trainInput(), { trainModel: fail('TRAINING_DIVERGED') }))).toBe('TRAINING_DIVERGED');
    expect(world.counts()['trainModel']).toBe(1);
    expect(world.counts()).not.toHaveProperty('finishRun');
  });

  it('refuses an input that does not fit the contract', async () => {
    const input = { ...trainInput(), dataset: 'NOT A NAME' };
    expect(await failureType(train(input))).toBe('REQUEST_INVALID');
    expect(world.calls).toEqual([]);
  });
});

describe('a failure after registration', () => {
  it('restores the alias, withdraws the version and marks the run', async () => {
    world.aliases.set('champion', '0');
    const changes = { awaitServing: fail('ROLLOUT_NOT_SERVED') };
    expect(await failureType(train(trainInput(), changes))).toBe('ROLLOUT_NOT_SERVED');
    expect(world.aliases).toEqual(new Map([['champion', '0']]));
    expect(world.versions.get('1')?.withdrawn).toContain('ROLLOUT_NOT_SERVED');
    expect(world.finished).toMatchObject([{ status: 'FAILED', outcome: 'failed' }]);
    expect(world.audited).toContain('trainer-1 workflow:train failed');
  });

  it('withdraws the version also when MLflow cannot show it', async () => {
    expect(await failureType(train(trainInput(), { mirrorVersion: fail('MLFLOW_REJECTED') }))).toBe('MLFLOW_REJECTED');
    expect(world.versions.get('1')?.withdrawn).toContain('MLFLOW_REJECTED');
  });

  it('reports what could not be undone and goes on undoing', async () => {
    const changes = { awaitServing: fail('ROLLOUT_NOT_SERVED'), withdrawVersion: fail('MODEL_VERSION_UNKNOWN') };
    await failureType(train(trainInput(), changes));
    expect(world.finished[0]?.status).toBe('FAILED');
    expect(world.aliases.size).toBe(0);
  });
});

describe('what an attempt did before it died', () => {
  it('in registerVersion is withdrawn', async () => {
    const registerVersion: AllActivities['registerVersion'] = async () => {
      world.versions.set('1', {});
      throw new SaipError('DATABASE_REJECTED', 'The answer was lost.');
    };
    expect(await failureType(train(trainInput(), { registerVersion }))).toBe('DATABASE_REJECTED');
    expect(world.versions.get('1')?.withdrawn).toContain('DATABASE_REJECTED');
  });

  it('in logRun is ended in MLflow', async () => {
    expect(await failureType(train(trainInput(), { logRun: fail('ARTIFACT_DIGEST_MISMATCH') }))).toBe(
      'ARTIFACT_DIGEST_MISMATCH',
    );
    expect(world.finished).toMatchObject([{ status: 'FAILED', outcome: 'failed' }]);
    expect(world.versions.size).toBe(0);
  });

  it('while it was cancelled does not make the cancellation a failure', async () => {
    const begun = Promise.withResolvers<void>();
    const cancelled = Promise.withResolvers<void>();
    const exportOnnx: AllActivities['exportOnnx'] = async () => {
      begun.resolve();
      await cancelled.promise;
      throw new SaipError('EXPORT_PARITY', 'The graphs differ.');
    };
    const handle = await start(trainInput(), { exportOnnx });
    await begun.promise;
    await handle.executeUpdate('cancel', { args: [{ reason: 'no use' }] });
    cancelled.resolve();
    expect(await handle.result()).toMatchObject({ outcome: 'cancelled', reasons: ['no use', expect.any(String)] });
  });
});

describe('segments of a training', () => {
  const trained = { weights: ref('weights'), history: ref('history'), steps: 300, seconds: 1, tags: {} };

  it('fall back behind a damaged checkpoint', async () => {
    const steps = [100, 200, 50, 150, 250];
    const trainModel: AllActivities['trainModel'] = async () => {
      const step = steps.shift();
      return step === undefined ? trained : { continue: true, step, steps: 300 };
    };
    expect((await train(trainInput(), { trainModel })).result.outcome).toBe('completed');
    expect(world.counts()['trainModel']).toBe(6);
  });
});

describe('a failed stage under onFailure: wait', () => {
  const input = trainInput({ onFailure: { action: 'wait', windowSeconds: 600 } });
  const failed =
    (stage: TrainStage) =>
    ({ stages }: Awaited<ReturnType<typeof progressOf>>) =>
      stages.some(({ name, status }) => name === stage && status === 'failed');

  it('runs again on retryStage, and goes on from there', async () => {
    let broken = true;
    const exportOnnx: AllActivities['exportOnnx'] = async () => {
      if (broken) throw new SaipError('EXPORT_PARITY', 'The graphs differ.');
      return { onnx: ref('onnx'), maxAbsDifference: 0, samples: 1 };
    };
    const handle = await start(input, { exportOnnx });
    await untilProgress(handle, failed('exportOnnx'));
    const wrong = handle.executeUpdate('retryStage', { args: [{ stage: 'train' }] });
    expect(await failureType(wrong)).toBe('STAGE_NOT_FAILED');
    broken = false;
    await handle.executeUpdate('retryStage', { args: [{ stage: 'exportOnnx' }] });
    expect(await handle.result()).toMatchObject({ outcome: 'completed' });
    expect(world.counts()).toMatchObject({ trainModel: 1, exportOnnx: 2 });
  });

  it('fails when nobody asks for a retry in time', async () => {
    expect(await failureType(train(input, { exportOnnx: fail('EXPORT_PARITY') }))).toBe('EXPORT_PARITY');
  });

  it('can be cancelled while it waits', async () => {
    const handle = await start(input, { exportOnnx: fail('EXPORT_PARITY') });
    await untilProgress(handle, failed('exportOnnx'));
    await handle.executeUpdate('cancel', { args: [{ reason: 'no use' }] });
    expect(await handle.result()).toMatchObject({ outcome: 'cancelled', reasons: ['no use'] });
  });
});

describe('cancelling', () => {
  const ACTIVITY_OF: Partial<Record<TrainStage, keyof AllActivities>> = {
    verifyDataCard: 'verifyDataCard',
    prepareData: 'prepareData',
    train: 'trainModel',
    evaluate: 'evaluateModel',
    exportOnnx: 'exportOnnx',
    logRun: 'logRun',
    gates: 'decideGates',
    signModel: 'signModel',
    registerVersion: 'mirrorVersion',
    rollout: 'awaitServing',
  };

  it.each(Object.entries(ACTIVITY_OF))('in stage %s stops %s, undoes, and ends cancelled', async (stage, name) => {
    const block = blocking();
    const handle = await start(trainInput(), { [name]: block.activity });
    await block.reached;
    await handle.executeUpdate('cancel', { args: [{ reason: 'changed my mind' }] });
    expect(await handle.result()).toMatchObject({ outcome: 'cancelled', reasons: ['changed my mind'] });
    const { stages, outcome } = await progressOf(handle);
    expect(outcome).toBe('cancelled');
    expect(stages.find((candidate) => candidate.name === stage)).toMatchObject({ status: 'skipped' });
    expect(world.aliases.size).toBe(0);
    for (const { withdrawn } of world.versions.values()) expect(withdrawn).toBe('changed my mind');
    // Also when `logRun` itself was cancelled: the run in MLflow may have been begun.
    const logged = world.calls.includes('logRun');
    expect(world.finished.map(({ status }) => status)).toEqual(logged ? ['KILLED'] : []);
  });

  it('undoes a registration that completed while it was cancelled', async () => {
    const { promise: proceed, resolve } = Promise.withResolvers<void>();
    const { promise: reached, resolve: begun } = Promise.withResolvers<void>();
    const registerVersion: AllActivities['registerVersion'] = async ({ registerAs, signed }) => {
      begun();
      await proceed;
      world.versions.set('7', {});
      return { ...signed, model: registerAs, version: '7' };
    };
    const handle = await start(trainInput(), { registerVersion });
    await reached;
    await handle.executeUpdate('cancel', { args: [{ reason: 'too late' }] });
    resolve();
    expect(await handle.result()).toMatchObject({ outcome: 'cancelled' });
    expect(world.versions.get('7')?.withdrawn).toBe('too late');
  });

  it('by Temporal itself cleans up too, and ends as cancelled there', async () => {
    const block = blocking();
    const handle = await start(trainInput(), { awaitServing: block.activity });
    await block.reached;
    await handle.cancel();
    await expect(handle.result()).rejects.toThrow();
    expect((await handle.describe()).status.name).toBe('CANCELLED');
    expect(world.versions.get('1')?.withdrawn).toBe('cancelled in Temporal');
  });

  it('refuses a reason that is missing', async () => {
    const block = blocking();
    const handle = await start(trainInput(), { trainModel: block.activity });
    await block.reached;
    expect(await failureType(handle.executeUpdate('cancel', { args: [{}] }))).toBe('REQUEST_INVALID');
    await handle.executeUpdate('cancel', { args: [{ reason: 'end of the test' }] });
    await handle.result();
  });
});
