import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Measurement } from '../../contracts/adversary.ts';
import { ModelConfig, TrainingConfig } from '../../contracts/model-config.ts';
import type { ArtifactRef } from '../../contracts/reference.ts';
import { ATTACK_BATCH, BatchResult } from '../../lib/adversary/index.ts';
import { attackInChild, trainInChild } from '../../lib/ml/index.ts';
import type { AttackInChildOptions } from '../../lib/ml/index.ts';
import { readFloat32 } from '../../lib/datasets/index.ts';
import { MemoryTrainingStore } from './support/memory-training-store.ts';
import { mnistSubset } from './support/mnist-subset.ts';
import type { Fixture } from './support/mnist-subset.ts';

/** A small network that a few seconds of training suffice for; training it also tests the attack inside training. */
const model = ModelConfig.parse({
  name: 'test',
  layers: [
    { type: 'conv2d', filters: 6, kernelSize: 5, strides: 2, activation: 'relu' },
    { type: 'flatten' },
    { type: 'dropout', rate: 0.2 },
    { type: 'dense', units: 10 },
  ],
});
const training = (changes: object = {}): TrainingConfig =>
  TrainingConfig.parse({
    epochs: 2,
    batchSize: 50,
    optimizer: { type: 'adam', learningRate: { initial: 0.005 } },
    checkpointSteps: 10,
    ...changes,
  });
const hardening = training({ adversarial: { epsilon: 0.1, steps: 2 } });

let fixture: Fixture;
/** 600 test samples: two whole batches and one that is filled up. */
let testSet: { x: ArtifactRef; y: ArtifactRef; count: number };
beforeAll(async () => {
  fixture = await mnistSubset();
  testSet = fixture.manifest.splits.train;
});
afterAll(() => fixture.dispose());

async function train(
  config: TrainingConfig,
  options: { segmentSeconds?: number; trainings?: MemoryTrainingStore } = {},
) {
  const { trainings = new MemoryTrainingStore(), segmentSeconds } = options;
  const outcome = await trainInChild({
    key: 'test',
    model,
    training: config,
    seed: 5,
    manifest: fixture.manifest,
    dataSha256: fixture.ref.sha256,
    artifacts: fixture.store,
    trainings,
    parallelism: { replicas: 2, threads: 1 },
    segmentSeconds,
  });
  return { outcome, trainings };
}

let weights: Promise<ArtifactRef> | undefined;
function trainedWeights(): Promise<ArtifactRef> {
  weights ??= train(training()).then(({ outcome }) => outcome.trained?.weights as ArtifactRef);
  return weights;
}

const measurement: Measurement = {
  attacks: [{ kind: 'fgsm' }, { kind: 'pgd', steps: 5, restarts: 2 }],
  epsilons: [0.05, 0.15],
  samples: 600,
  seed: 3,
};

class Batches {
  readonly done = new Map<number, ArtifactRef>();
  finished = async (): Promise<ReadonlyMap<number, ArtifactRef>> => new Map(this.done);
  commit = async ({ batch, ref }: { batch: number; ref: ArtifactRef }): Promise<void> => {
    this.done.set(batch, ref);
  };
}

async function attack(batches: readonly number[], changes: Partial<AttackInChildOptions> = {}): Promise<BatchResult[]> {
  const refs = await attackInChild({
    model,
    weights: await trainedWeights(),
    manifest: { ...fixture.manifest, splits: { ...fixture.manifest.splits, test: testSet } },
    measurement,
    batches,
    artifacts: fixture.store,
    attacked: new Batches(),
    threads: 1,
    ...changes,
  });
  return Promise.all(refs.map((ref) => fixture.store.readJson(ref, BatchResult)));
}

let undisturbed: Promise<BatchResult[]> | undefined;
/** All batches in one go, shared by the tests that compare with it. */
function reference(): Promise<BatchResult[]> {
  undisturbed ??= attack([0, 1, 2]);
  return undisturbed;
}

let hardenedWeights: Promise<ArtifactRef> | undefined;
function hardened(): Promise<ArtifactRef> {
  hardenedWeights ??= train(hardening).then(({ outcome }) => outcome.trained?.weights as ArtifactRef);
  return hardenedWeights;
}

/** What does not depend on the clock. */
function facts(results: readonly BatchResult[]): Omit<BatchResult, 'seconds'>[] {
  return results.map(({ seconds: _, ...rest }) => rest);
}

const wrong = ({ labels }: BatchResult, predicted: readonly number[] = []) =>
  labels.filter((label, i) => predicted[i] !== label).length;

describe('attackInChild', () => {
  it('attacks batches of one size, the last one filled up, and keeps every example within ε', async () => {
    const results = await reference();
    expect(results.map(({ indices }) => indices.length)).toEqual([ATTACK_BATCH, ATTACK_BATCH, 100]);
    expect(new Set(results.flatMap(({ indices }) => indices)).size).toBe(600);
    for (const result of results) {
      const [fgsmSmall, fgsm, pgdSmall, pgd] = result.trials.map(({ predicted }) => wrong(result, predicted));
      const clean = wrong(result, result.clean);
      expect(fgsmSmall).toBeGreaterThanOrEqual(clean);
      expect(pgdSmall).toBeGreaterThanOrEqual(clean);
      expect(pgd).toBeGreaterThan(pgdSmall ?? 0);
      expect(pgd).toBeGreaterThanOrEqual(fgsm ?? 0);
      const examples = await readFloat32(await fixture.store.path(result.examples));
      const block = result.indices.length * 784;
      expect(examples).toHaveLength(5 * block);
      result.trials.forEach(({ epsilon }, trial) => {
        let largest = 0;
        for (let i = 0; i < block; i += 1) {
          const value = examples[(trial + 1) * block + i] as number;
          largest = Math.max(largest, Math.abs(value - (examples[i] as number)));
          if (value < 0 || value > 255) throw new Error(`${value} is no grey value`);
        }
        expect(largest).toBeLessThanOrEqual(epsilon * 255);
        expect(largest).toBeGreaterThan(epsilon * 200);
      });
    }
  });

  it('gives the same bits however the batches are sharded', async () => {
    const apart = [...(await attack([2])), ...(await attack([1, 0]))].reverse();
    expect(facts(apart)).toEqual(facts(await reference()));
  });

  it('goes on behind the last finished batch after a kill', async () => {
    const batches = new Batches();
    let pid = 0;
    const killing = async (finished: { batch: number; ref: ArtifactRef }): Promise<void> => {
      await batches.commit(finished);
      process.kill(pid, 'SIGKILL');
    };
    const doomed = { finished: batches.finished, commit: killing };
    await expect(attack([0, 1, 2], { attacked: doomed, onStart: (started) => (pid = started) })).rejects.toThrow(
      /SIGKILL/,
    );
    expect([...batches.done.keys()]).toEqual([0]);
    const before = batches.done.get(0);
    const resumed = await attack([0, 1, 2], { attacked: batches });
    expect(batches.done.get(0)).toEqual(before);
    expect(facts(resumed)).toEqual(facts(await reference()));
  });

  it('stops within five seconds of a cancellation, and tells how far it is', async () => {
    const controller = new AbortController();
    const seen: number[] = [];
    let aborted = 0;
    const run = attack([0, 1, 2], {
      measurement: { ...measurement, attacks: [{ kind: 'pgd', steps: 1000, restarts: 20 }], epsilons: [0.001] },
      signal: controller.signal,
      onProgress: ({ throughput, samples }) => {
        seen.push(throughput);
        expect(samples).toBe(600);
        if (seen.length < 2) return;
        aborted = performance.now();
        controller.abort(new Error('enough'));
      },
    });
    await expect(run).rejects.toThrow('enough');
    expect(performance.now() - aborted).toBeLessThan(5000);
    expect(Math.max(...seen)).toBeGreaterThan(0);
  });
});

describe('adversarial training', () => {
  it('gives one digest with two replicas, in one go or in segments', async () => {
    const first = await train(hardening, { segmentSeconds: 0 });
    expect(first.outcome).toMatchObject({ step: 1, trained: undefined });
    const { outcome } = await train(hardening, { trainings: first.trainings });
    expect(outcome).toMatchObject({ resumes: 1, plan: { replicas: 2 } });
    expect(outcome.trained?.weights.sha256).toBe((await hardened()).sha256);
  });

  it('has another digest than an ordinary one, and withstands more', async () => {
    const other = await hardened();
    expect(other.sha256).not.toBe((await trainedWeights()).sha256);
    const [before] = await reference();
    const [after] = await attack([0], { weights: other });
    expect(wrong(after as BatchResult, after?.trials[3]?.predicted)).toBeLessThan(
      wrong(before as BatchResult, before?.trials[3]?.predicted),
    );
  });
});
