import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ModelConfig, TrainingConfig } from '../../contracts/model-config.ts';
import type { TrainingHeartbeat } from '../../contracts/progress.ts';
import { computeLogits, readSafetensors, trainInChild } from '../../lib/ml/index.ts';
import type { TrainInChildOptions, TrainingOutcome } from '../../lib/ml/index.ts';
import { RandomStream } from '../../lib/ml/random.ts';
import { MemoryTrainingStore } from './support/memory-training-store.ts';
import { mnistSubset } from './support/mnist-subset.ts';
import type { Fixture } from './support/mnist-subset.ts';

/** Every kind of state: convolution, dropout, two accumulators, warm-up, an incomplete last batch. */
const model = ModelConfig.parse({
  name: 'test',
  layers: [
    { type: 'conv2d', filters: 4, kernelSize: 5, strides: 2, activation: 'relu' },
    { type: 'maxPooling2d' },
    { type: 'flatten' },
    { type: 'dropout', rate: 0.2 },
    { type: 'dense', units: 10 },
  ],
});
const training = TrainingConfig.parse({
  epochs: 2,
  batchSize: 64,
  optimizer: { type: 'adam', learningRate: { initial: 0.005, schedule: 'cosine', warmupSteps: 5 } },
  weightDecay: 1e-4,
  labelSmoothing: 0.05,
  checkpointSteps: 7,
});
const STEPS = 48;

let fixture: Fixture;
beforeAll(async () => {
  fixture = await mnistSubset();
});
afterAll(() => fixture.dispose());

function options(overrides: Partial<TrainInChildOptions> = {}): TrainInChildOptions {
  return {
    key: 'test',
    model,
    training,
    seed: 5,
    manifest: fixture.manifest,
    dataSha256: fixture.ref.sha256,
    artifacts: fixture.store,
    trainings: new MemoryTrainingStore(),
    parallelism: { replicas: 2, threads: 1 },
    ...overrides,
  };
}

function digestOf({ trained }: TrainingOutcome): string | undefined {
  return trained?.weights.sha256;
}

let undisturbed: Promise<TrainingOutcome> | undefined;
/** One run without any fault, shared by the tests that compare with it. */
function reference(): Promise<TrainingOutcome> {
  undisturbed ??= trainInChild(options());
  return undisturbed;
}

describe('trainInChild', () => {
  it('gives one digest for one seed, and another for another', async () => {
    const again = await trainInChild(options());
    const other = await trainInChild(options({ seed: 6 }));
    expect(digestOf(again)).toBe(digestOf(await reference()));
    expect(digestOf(other)).not.toBe(digestOf(again));
    expect(again).toMatchObject({ step: STEPS, steps: STEPS, resumes: 0, plan: { replicas: 2, threads: 1, split: 1 } });
    expect(again.peakRssBytes).toBeLessThan(1.5 * 2 ** 30);
  });

  it('learns, and keeps the history of it', async () => {
    const { trained } = await reference();
    if (trained === undefined) throw new Error('not trained');
    const history = (await fixture.store.read(trained.history)).toString().trimEnd().split('\n');
    const lines = history.map((line) => JSON.parse(line) as Record<string, number>);
    expect(lines).toHaveLength(STEPS);
    expect(lines.filter((line) => 'valAccuracy' in line).map(({ step }) => step)).toEqual([24, 48]);
    expect(lines[0]?.['loss']).toBeGreaterThan(2);
    expect(lines.at(-1)?.['valAccuracy']).toBeGreaterThan(0.5);
  });

  it('resumes after a kill at a random moment with the digest of an undisturbed run', async () => {
    const trainings = new MemoryTrainingStore();
    const stream = new RandomStream('kill', 2024);
    const seen: TrainingHeartbeat[] = [];
    const onProgress = (beat: TrainingHeartbeat): void => void seen.push(beat);
    for (const commits of [1, 3]) {
      const killed = Promise.withResolvers<void>();
      let pid = 0;
      const doomed = new (class extends MemoryTrainingStore {
        override acquireFence = trainings.acquireFence.bind(trainings);
        override latestCheckpoint = trainings.latestCheckpoint.bind(trainings);
        override plan = trainings.plan.bind(trainings);
        override savePlan = trainings.savePlan.bind(trainings);
        override async commitCheckpoint(a: Parameters<MemoryTrainingStore['commitCheckpoint']>[0]): Promise<void> {
          // The process is dead before it could announce another checkpoint.
          if (trainings.commits.length === commits) return killed.promise.then(() => Promise.reject(new Error('dead')));
          await trainings.commitCheckpoint(a);
          if (trainings.commits.length < commits) return;
          setTimeout(() => {
            process.kill(pid, 'SIGKILL');
            killed.resolve();
          }, stream.below(60));
        }
      })();
      const run = trainInChild(options({ trainings: doomed, onStart: (started) => (pid = started), onProgress }));
      await expect(run).rejects.toThrow(/SIGKILL|dead/);
    }
    const resumed = await trainInChild(options({ trainings, onProgress }));
    expect(resumed.resumes).toBe(2);
    expect(trainings.commits.map(({ step }) => step)).toEqual([7, 14, 21, 28, 35, 42, 48]);
    expect(digestOf(resumed)).toBe(digestOf(await reference()));
    for (const { checkpointStep, step } of seen) expect(step - checkpointStep).toBeLessThanOrEqual(7);
  });

  it('gives the same digest in segments', async () => {
    const trainings = new MemoryTrainingStore();
    const ends: number[] = [];
    let outcome: TrainingOutcome;
    do {
      // No time at all: each segment is one step long, until the rest is done at once.
      outcome = await trainInChild(options({ trainings, ...(ends.length < 2 && { segmentSeconds: 0 }) }));
      ends.push(outcome.step);
    } while (outcome.trained === undefined);
    expect(ends).toEqual([1, 2, STEPS]);
    expect(digestOf(outcome)).toBe(digestOf(await reference()));
  });

  it('stops after an epoch, says what it is worth, and goes on to the digest of a training that did not stop', async () => {
    const trainings = new MemoryTrainingStore();
    const whole = await reference();
    const first = await trainInChild(options({ trainings, stopAfterEpoch: 1 }));
    expect(first).toMatchObject({ step: STEPS / 2, steps: STEPS / 2, trained: { validation: { epoch: 1 } } });
    // A repetition finds the result without a step; the same call after the last epoch still tells of the first.
    const repeated = await trainInChild(options({ trainings, stopAfterEpoch: 1 }));
    expect(repeated.trained).toEqual(first.trained);
    const rest = await trainInChild(options({ trainings }));
    expect(rest).toMatchObject({ step: STEPS, resumes: 1 });
    expect(digestOf(rest)).toBe(digestOf(whole));
    expect(rest.trained?.validation).toEqual(whole.trained?.validation);
    const late = await trainInChild(options({ trainings, stopAfterEpoch: 1 }));
    expect(late.trained?.validation).toEqual(first.trained?.validation);
  });

  it('returns a finished training again without a step', async () => {
    const trainings = new MemoryTrainingStore();
    const first = await trainInChild(options({ trainings }));
    const commits = trainings.commits.length;
    const second = await trainInChild(options({ trainings }));
    expect(second.trained).toEqual(first.trained);
    expect(trainings.commits).toHaveLength(commits);
  });

  it('starts again when the checkpoint’s bytes are gone', async () => {
    const trainings = new MemoryTrainingStore();
    await trainInChild(options({ trainings, segmentSeconds: 0 }));
    const artifacts = {
      exists: async () => false,
      path: fixture.store.path.bind(fixture.store),
      putFile: fixture.store.putFile.bind(fixture.store),
    };
    const outcome = await trainInChild(options({ trainings, artifacts }));
    expect(outcome.resumes).toBe(0);
    expect(digestOf(outcome)).toBe(digestOf(await reference()));
  });

  it('goes on from the newest whole checkpoint where later ones were changed', async () => {
    const trainings = new MemoryTrainingStore();
    const dead = new Error('dead');
    const doomed = new (class extends MemoryTrainingStore {
      override acquireFence = trainings.acquireFence.bind(trainings);
      override savePlan = trainings.savePlan.bind(trainings);
      override async commitCheckpoint(a: Parameters<MemoryTrainingStore['commitCheckpoint']>[0]): Promise<void> {
        await trainings.commitCheckpoint(a);
        if (trainings.commits.length === 3) throw dead;
      }
    })();
    await expect(trainInChild(options({ trainings: doomed }))).rejects.toBe(dead);
    const newest = trainings.commits.at(-1)?.ref;
    if (newest === undefined) throw new Error('no checkpoint');
    const path = await fixture.store.path(newest);
    await chmod(path, 0o600);
    const bytes = await readFile(path);
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
    await writeFile(path, bytes);

    const outcome = await trainInChild(options({ trainings }));
    expect(outcome.resumes).toBe(1);
    expect(trainings.commits.map(({ step }) => step)).toEqual([7, 14, 21, 21, 28, 35, 42, 48]);
    expect(digestOf(outcome)).toBe(digestOf(await reference()));
    // A whole one took its place.
    const again = trainings.commits.findLast(({ step }) => step === 21);
    expect(again !== undefined && (await fixture.store.exists(again.ref))).toBe(true);
  });

  it('stops an older attempt when a newer one took over', async () => {
    const trainings = new MemoryTrainingStore();
    const started = Promise.withResolvers<void>();
    const older = trainInChild(options({ trainings, onProgress: () => started.resolve() }));
    const fenced = expect(older).rejects.toMatchObject({ code: 'TRAINING_FENCED' });
    await started.promise;
    const newer = await trainInChild(options({ trainings }));
    await fenced;
    expect(digestOf(newer)).toBe(digestOf(await reference()));
    const tokens = trainings.commits.map(({ token }) => token);
    expect(tokens).toEqual([...tokens].sort());
  });

  it('frees the device within five seconds of a cancellation', async () => {
    const controller = new AbortController();
    const pids: number[] = [];
    const long = { ...training, epochs: 1000 };
    const run = trainInChild(
      options({
        training: long,
        signal: controller.signal,
        onStart: (pid) => pids.push(pid),
        onProgress: () => controller.abort(new Error('cancelled')),
      }),
    );
    controller.signal.addEventListener('abort', () => (cancelled = performance.now()));
    let cancelled = 0;
    await expect(run).rejects.toThrow('cancelled');
    expect(performance.now() - cancelled).toBeLessThan(5000);
    expect(pids).toHaveLength(1);
    // Leader and replicas; a dead process stays listed until its reaper comes.
    for (const { group, state } of await processes()) if (pids.includes(group)) expect(state).toBe('Z');
  });

  it('says so when the loss diverges', async () => {
    const optimizer = {
      type: 'sgd',
      momentum: 0,
      learningRate: { initial: 10, schedule: 'constant', warmupSteps: 0 },
    } as const;
    const run = trainInChild(options({ training: { ...training, weightDecay: 1, optimizer } }));
    await expect(run).rejects.toMatchObject({ code: 'TRAINING_DIVERGED' });
  });

  it('refuses a network that does not fit the data before it starts a process', async () => {
    const wrong = ModelConfig.parse({ name: 'wrong', layers: [{ type: 'flatten' }, { type: 'dense', units: 9 }] });
    const pids: number[] = [];
    const run = trainInChild(options({ model: wrong, onStart: (pid) => pids.push(pid) }));
    await expect(run).rejects.toMatchObject({ code: 'MODEL_CONFIG_INVALID', field: 'layers[1]' });
    expect(pids).toEqual([]);
  });

  it('trains by SGD, with and without momentum, on one replica', async () => {
    for (const momentum of [0, 0.9]) {
      const optimizer = {
        type: 'sgd',
        momentum,
        learningRate: { initial: 0.02, schedule: 'linear', warmupSteps: 0 },
      } as const;
      const sgd = (overrides: Partial<TrainInChildOptions>) =>
        trainInChild(
          options({ training: { ...training, optimizer }, parallelism: { replicas: 1, threads: 1 }, ...overrides }),
        );
      const trainings = new MemoryTrainingStore();
      await sgd({ trainings, segmentSeconds: 0 });
      expect(digestOf(await sgd({ trainings }))).toBe(digestOf(await sgd({})));
    }
  });
});

describe('running out of memory', () => {
  // Activations of 512 samples take more than the limit, those of 256 do not.
  const wide = ModelConfig.parse({
    name: 'wide',
    layers: [
      { type: 'conv2d', filters: 96, kernelSize: 3, padding: 'same', activation: 'relu' },
      { type: 'maxPooling2d', poolSize: 7 },
      { type: 'flatten' },
      { type: 'dense', units: 10 },
    ],
  });
  const large = { ...training, epochs: 1, batchSize: 512, labelSmoothing: 0, weightDecay: 0 };
  const run = (overrides: Partial<TrainInChildOptions>) =>
    trainInChild(options({ model: wide, training: large, parallelism: { replicas: 1, threads: 1 }, ...overrides }));

  it('halves the micro-batch for the next attempt and keeps the effective batch', async () => {
    const trainings = new MemoryTrainingStore();
    const limited = { trainings, memoryBytes: 620 * 2 ** 20 };
    await expect(run(limited)).rejects.toMatchObject({ code: 'DEVICE_OUT_OF_MEMORY' });
    let outcome: TrainingOutcome | undefined;
    for (let attempt = 0; outcome === undefined && attempt < 5; attempt += 1) {
      outcome = await run(limited).catch((error: Error & { code?: string }) => {
        if (error.code !== 'DEVICE_OUT_OF_MEMORY') throw error;
        return undefined;
      });
    }
    expect(outcome?.plan.split).toBeGreaterThanOrEqual(2);
    const unlimited = await run({});
    expect(unlimited.plan.split).toBe(1);
    expect(outcome?.steps).toBe(unlimited.steps);
    const [split, whole] = await Promise.all([weightsOf(outcome), weightsOf(unlimited)]);
    const difference = Math.max(...split.map((value, index) => Math.abs(value - (whole[index] ?? Number.NaN))));
    expect(difference).toBeLessThan(1e-3);
  });
});

describe('computeLogits', () => {
  it('is deterministic and agrees with the validation of the training', async () => {
    const { trained } = await reference();
    if (trained === undefined) throw new Error('not trained');
    const common = { model, weights: trained.weights, manifest: fixture.manifest, store: fixture.store };
    const logits = await computeLogits({ ...common, split: 'validation' });
    expect(await computeLogits({ ...common, split: 'validation' })).toEqual(logits);
    const { validation } = fixture.manifest.splits;
    expect(logits).toHaveLength(validation.count * 10);
    const labels = new Int32Array(new Uint8Array(await fixture.store.read(validation.y)).buffer);
    const right = labels.filter((label, index) => {
      const row = logits.subarray(index * 10, index * 10 + 10);
      return row.indexOf(Math.max(...row)) === label;
    }).length;
    const history = (await fixture.store.read(trained.history)).toString().trimEnd().split('\n');
    expect(right / validation.count).toBeCloseTo(
      (JSON.parse(history.at(-1) ?? '') as { valAccuracy: number }).valAccuracy,
      6,
    );
  });
});

async function processes(): Promise<{ group: number; state: string }[]> {
  const entries = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const stats = await Promise.all(entries.map((pid) => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')));
  return stats
    .filter((stat) => stat !== '')
    .map((stat) => stat.slice(stat.lastIndexOf(')') + 2).split(' '))
    .map(([state = '', , group]) => ({ state, group: Number(group) }));
}

async function weightsOf(outcome: TrainingOutcome | undefined): Promise<Float32Array> {
  if (outcome?.trained === undefined) throw new Error('not trained');
  const { tensors } = readSafetensors(await fixture.store.read(outcome.trained.weights));
  return Float32Array.from([...tensors.values()].flatMap(({ data }) => [...data]));
}
