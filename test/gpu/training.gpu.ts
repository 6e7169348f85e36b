import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ModelConfig, TrainingConfig } from '../../contracts/model-config.ts';
import type { PreparedManifest } from '../../contracts/prepared-data.ts';
import type { ArtifactRef } from '../../contracts/reference.ts';
import { argmax } from '../../lib/evaluation/index.ts';
import { prepare } from '../../lib/datasets/index.ts';
import { computeLogits, deviceReport, loadPreset, trainInChild } from '../../lib/ml/index.ts';
import type { TrainInChildOptions, TrainingOutcome } from '../../lib/ml/index.ts';
import { checkParity, exportOnnx } from '../../lib/onnx/index.ts';
import { MemoryTrainingStore } from '../ml/support/memory-training-store.ts';
import { mnistSubset } from '../ml/support/mnist-subset.ts';
import type { Fixture } from '../ml/support/mnist-subset.ts';

let fixture: Fixture;
let mnist: { manifest: PreparedManifest; manifestRef: ArtifactRef };
beforeAll(async () => {
  fixture = await mnistSubset();
  mnist = await prepare({ dataset: 'mnist', seed: 42, validationShare: 0.1, store: fixture.store });
});
afterAll(() => fixture.dispose());

/** On all of MNIST, laid out as the device asks for. */
function train(changes: Pick<TrainInChildOptions, 'model' | 'training'> & Partial<TrainInChildOptions>) {
  return trainInChild({
    key: 'gpu',
    seed: 42,
    manifest: mnist.manifest,
    dataSha256: mnist.manifestRef.sha256,
    artifacts: fixture.store,
    trainings: new MemoryTrainingStore(),
    ...changes,
  });
}

function weightsOf({ trained }: TrainingOutcome): ArtifactRef {
  if (trained === undefined) throw new Error('not trained');
  return trained.weights;
}

describe('a GPU', () => {
  it('is what a training runs on', async () => {
    const report = await deviceReport();
    console.info(report);
    expect(report).toMatchObject({ device: 'cuda', backend: 'tensorflow', replicas: 1, threads: 0 });
    expect(report.deviceClass).toMatch(/^cuda-/);
  });

  it.each(['mnist-cnn', 'mnist-mlp', 'mnist-softmax'] as const)(
    'trains %s twice to one digest, and its ONNX graph answers the same on the processor',
    async (name) => {
      const preset = loadPreset(name);
      const first = await train(preset);
      const again = await train(preset);
      expect(weightsOf(again).sha256).toBe(weightsOf(first).sha256);

      const { store } = fixture;
      const { model } = preset;
      const { manifest, manifestRef } = mnist;
      const logits = await computeLogits({ model, weights: weightsOf(first), manifest, split: 'test', store });
      const labels = new Int32Array(new Uint8Array(await store.read(manifest.splits.test.y)).buffer);
      const right = argmax(logits, 10).filter((predicted, sample) => predicted === labels[sample]).length;
      const accuracy = right / labels.length;
      const perSecond = (preset.training.epochs * manifest.splits.train.count) / first.seconds;
      const weights = await store.read(weightsOf(first));
      const graph = exportOnnx({ model, weights, manifest, dataSha256: manifestRef.sha256 });
      const onnx = await store.put(graph, { mediaType: 'application/onnx' });
      const { maxAbsDifference } = await checkParity({ onnx, manifest, store, logits });
      console.info({ name, accuracy, perSecond, seconds: first.seconds, maxAbsDifference });
      expect(accuracy).toBeGreaterThanOrEqual({ 'mnist-cnn': 0.99, 'mnist-mlp': 0.975, 'mnist-softmax': 0.91 }[name]);
    },
  );

  it('goes on after kill -9 to the digest of an undisturbed training', async () => {
    const { model, training: preset } = loadPreset('mnist-cnn');
    const training = { ...preset, epochs: 1, checkpointSteps: 100 };
    const trainings = new MemoryTrainingStore();
    let pid = 0;
    const killed = train({
      ...{ model, training, trainings },
      onStart: (started) => (pid = started),
      onProgress: ({ step }) => step > 300 && process.kill(pid, 'SIGKILL'),
    });
    await expect(killed).rejects.toThrow(/SIGKILL/);
    const resumed = await train({ model, training, trainings });
    expect(resumed.resumes).toBe(1);
    expect(weightsOf(resumed).sha256).toBe(weightsOf(await train({ model, training })).sha256);
  });

  it('halves the micro-batch where others hold its memory', async () => {
    const model = ModelConfig.parse({
      name: 'wide',
      layers: [
        { type: 'conv2d', filters: 512, kernelSize: 3, padding: 'same', activation: 'relu' },
        { type: 'maxPooling2d', poolSize: 7 },
        { type: 'flatten' },
        { type: 'dense', units: 10 },
      ],
    });
    const training = TrainingConfig.parse({
      epochs: 1,
      batchSize: 1500,
      optimizer: { type: 'adam', learningRate: { initial: 0.001 } },
      checkpointSteps: 100,
    });
    const { manifest, ref } = fixture;
    const trainings = new MemoryTrainingStore();
    const run = (): Promise<TrainingOutcome> => train({ model, training, manifest, dataSha256: ref.sha256, trainings });
    const neighbour = spawn(process.execPath, [join(import.meta.dirname, 'neighbour.ts'), '4096'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      // The allocator that takes no more than it is asked for.
      env: { ...process.env, TF_GPU_ALLOCATOR: 'cuda_malloc_async', TF_FORCE_GPU_ALLOW_GROWTH: 'true' },
    });
    try {
      const [free] = (await once(neighbour.stdout, 'data')) as [Buffer];
      console.info(`${free.toString().trim()} MiB are free`);
      await expect(run()).rejects.toMatchObject({ code: 'DEVICE_OUT_OF_MEMORY' });
      let outcome: TrainingOutcome | undefined;
      for (let attempt = 0; outcome === undefined && attempt < 5; attempt += 1) {
        outcome = await run().catch((error: Error & { code?: string }) => {
          if (error.code !== 'DEVICE_OUT_OF_MEMORY') throw error;
          return undefined;
        });
      }
      expect(outcome?.plan.split).toBeGreaterThanOrEqual(2);
    } finally {
      neighbour.kill('SIGKILL');
    }
  });
});
