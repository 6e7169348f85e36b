import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CancelledFailure } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createTrainingActivities, type TrainingDependencies } from '../../activities/training/index.ts';
import type { GpuActivities, TrainedModel, TrainingSegment } from '../../contracts/activities.ts';
import { ModelConfig, TrainingConfig } from '../../contracts/model-config.ts';
import { TrainingHeartbeat } from '../../contracts/progress.ts';
import { TrainingStore } from '../../lib/clients/index.ts';
import { readSafetensors } from '../../lib/ml/index.ts';
import { mnistSubset, type Fixture } from '../ml/support/mnist-subset.ts';
import { createPrivateDatabase, type PrivateDatabase } from '../support/private-database.ts';

type Input = Parameters<GpuActivities['trainModel']>[0];
type Result = TrainedModel | TrainingSegment;

let database: PrivateDatabase;
let fixture: Fixture;
beforeAll(async () => {
  database = await createPrivateDatabase();
  fixture = await mnistSubset();
});
afterAll(async () => {
  await database.drop();
  await fixture.dispose();
});

const model = ModelConfig.parse({ name: 'test', layers: [{ type: 'flatten' }, { type: 'dense', units: 10 }] });
const training = TrainingConfig.parse({
  epochs: 2,
  batchSize: 100,
  optimizer: { type: 'adam', learningRate: { initial: 0.01 } },
  checkpointSteps: 10,
});
const STEPS = 30;

/** Attempts that are meant to fail would fill the output. */
function activityEnvironment(): MockActivityEnvironment {
  return new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR', () => undefined) });
}

function input(key: string, overrides: Partial<Input> = {}): Input {
  const { train, validation, test } = fixture.manifest.splits;
  return {
    run: { key, runId: 'run', requestedBy: 'alice' },
    model,
    training,
    seed: 3,
    data: {
      manifest: fixture.ref,
      cardSha256: 'c'.repeat(64),
      dataSha256: 'd'.repeat(64),
      classes: 10,
      counts: { train: train.count, validation: validation.count, test: test.count },
    },
    ...overrides,
  };
}

function run(
  argument: Input,
  {
    environment = activityEnvironment(),
    ...settings
  }: { environment?: MockActivityEnvironment } & Partial<TrainingDependencies> = {},
): Promise<Result> {
  const { trainModel } = createTrainingActivities({
    store: fixture.store,
    trainings: new TrainingStore(database.worker),
    parallelism: { replicas: 2, threads: 1 },
    ...settings,
  });
  return environment.run<[Input], Result, typeof trainModel>(trainModel, argument);
}

async function toEnd(argument: Input, settings: Partial<TrainingDependencies> = {}): Promise<TrainedModel> {
  let result = await run(argument, settings);
  while ('continue' in result) result = await run(argument, settings);
  return result;
}

describe('trainModel activity', () => {
  it('returns weights, history and the tags that tell how they came about', async () => {
    const environment = activityEnvironment();
    const beats: TrainingHeartbeat[] = [];
    environment.on('heartbeat', (details: unknown) => beats.push(TrainingHeartbeat.parse(details)));
    const result = await run(input('whole'), { environment });
    if ('continue' in result) throw new Error('not finished');
    expect([...readSafetensors(await fixture.store.read(result.weights)).tensors.keys()]).toEqual([
      'layers.1.bias',
      'layers.1.kernel',
    ]);
    expect(result.steps).toBe(STEPS);
    expect(beats.at(-1)).toMatchObject({ epoch: 2, epochs: 2, step: STEPS, steps: STEPS, eta: 0 });
    expect(result.tags).toMatchObject({
      backend: 'tensorflow',
      'weights.sha256': result.weights.sha256,
      'data.prepared.sha256': fixture.ref.sha256,
      'git.commit': expect.stringMatching(/^([0-9a-f]{40}(-dirty)?|unknown)$/),
      'config.sha256': expect.stringMatching(/^[0-9a-f]{64}$/),
      replicas: '2',
      threads: '1',
      'batch.effective': '100',
      'batch.split': '1',
      resumes: '0',
    });
  });

  it('ends a segment in a durable checkpoint, and the segments in the same weights', async () => {
    const first = await run(input('segments'), { segmentSeconds: 0 });
    expect(first).toEqual({ continue: true, step: 1, steps: STEPS });
    const result = await toEnd(input('segments'));
    expect(result.tags['resumes']).toBe('1');
    expect(result.weights).toEqual((await toEnd(input('whole'))).weights);
  });

  it('lets the newer of two overlapping attempts win', async () => {
    const environment = activityEnvironment();
    const started = Promise.withResolvers<void>();
    environment.on('heartbeat', () => started.resolve());
    const endless = { training: { ...training, epochs: 1000 } };
    const older = run(input('overlap', endless), { environment });
    const fenced = expect(older).rejects.toMatchObject({ code: 'TRAINING_FENCED' });
    await started.promise;
    const newer = await run(input('overlap', endless), { segmentSeconds: 0 });
    await fenced;
    expect(newer).toMatchObject({ continue: true });
  });

  it('stops at once when it is cancelled', async () => {
    const environment = activityEnvironment();
    let cancelled = 0;
    environment.once('heartbeat', () => {
      cancelled = performance.now();
      environment.cancel();
    });
    const endless = run(input('cancel', { training: { ...training, epochs: 1000 } }), { environment });
    await expect(endless).rejects.toBeInstanceOf(CancelledFailure);
    expect(performance.now() - cancelled).toBeLessThan(5000);
  });

  it('remembers in the database that memory ran out', async () => {
    const wide = ModelConfig.parse({
      name: 'wide',
      layers: [
        { type: 'conv2d', filters: 96, kernelSize: 3, padding: 'same', activation: 'relu' },
        { type: 'maxPooling2d', poolSize: 7 },
        { type: 'flatten' },
        { type: 'dense', units: 10 },
      ],
    });
    const argument = input('memory', { model: wide, training: { ...training, epochs: 1, batchSize: 512 } });
    const settings = { parallelism: { replicas: 1, threads: 1 }, memoryBytes: 620 * 2 ** 20 };
    let failures = 0;
    let result: Result | undefined;
    while (result === undefined) {
      result = await run(argument, settings).catch((error: unknown) => {
        expect(error).toMatchObject({ code: 'DEVICE_OUT_OF_MEMORY' });
        failures += 1;
        return undefined;
      });
    }
    if ('continue' in result) throw new Error('not finished');
    expect(failures).toBeGreaterThan(0);
    expect(result.tags).toMatchObject({ 'batch.effective': '512', 'batch.split': String(2 ** failures) });
  });
});
