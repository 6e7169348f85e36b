import { randomUUID } from 'node:crypto';
import type { CpuActivities } from '../../../contracts/activities.ts';
import { ModelConfig, TrainingConfig } from '../../../contracts/model-config.ts';
import { PreparedManifest } from '../../../contracts/prepared-data.ts';
import type { ArtifactRef } from '../../../contracts/reference.ts';
import type { ArtifactStore } from '../../../lib/artifacts/index.ts';

type RunRecord = Parameters<CpuActivities['logRun']>[0];

const interval = (value: number): { value: number; low: number; high: number } => ({
  value,
  low: value - 0.01,
  high: value + 0.01,
});

/** Two epochs of five steps, with a validation at the end of each. */
const HISTORY = Array.from({ length: 10 }, (_, index) => {
  const step = index + 1;
  const point = { step, epoch: step / 5, loss: 1 / step, learningRate: 0.001, throughput: 900 };
  return JSON.stringify(step % 5 === 0 ? { ...point, valLoss: 0.5, valAccuracy: 0.9 } : point);
});

/** A finished training, with every artifact in the store; its model and its key are used by no other test. */
export async function runRecord(store: ArtifactStore): Promise<RunRecord> {
  const unique = randomUUID().slice(0, 8);
  const put = (text: string, mediaType = 'application/octet-stream'): Promise<ArtifactRef> =>
    store.put(Buffer.from(`${text}\n`), { mediaType });
  const split = async (name: string, count: number): Promise<{ x: ArtifactRef; y: ArtifactRef; count: number }> => ({
    x: await put(`${name} samples`),
    y: await put(`${name} labels`),
    count,
  });
  const splits = {
    train: await split('train', 90),
    validation: await split('validation', 10),
    test: await split('test', 20),
  };
  const manifest = PreparedManifest.parse({
    version: 1,
    dataset: 'digits',
    seed: 7,
    validationShare: 0.1,
    input: { name: 'image', shape: [8, 8, 1], dtype: 'uint8' },
    labels: ['zero', 'one', 'two'],
    preprocessing: { kind: 'affine', scale: [0.1], offset: [0] },
    splits,
  });
  return {
    run: { key: `train-${unique}`, runId: randomUUID(), requestedBy: 'user:ada' },
    registerAs: `tracked.${unique}`,
    dataset: 'digits',
    model: ModelConfig.parse({
      name: 'tiny',
      layers: [
        { type: 'conv2d', filters: 2, kernelSize: 3, activation: 'relu' },
        { type: 'flatten' },
        { type: 'dense', units: 3 },
      ],
    }),
    training: TrainingConfig.parse({
      epochs: 2,
      batchSize: 18,
      optimizer: { type: 'adam', learningRate: { initial: 0.001 } },
    }),
    seed: 7,
    card: await put('card', 'application/ld+json'),
    data: {
      manifest: await store.putJson(manifest),
      cardSha256: 'c'.repeat(64),
      dataSha256: 'd'.repeat(64),
      classes: 3,
      counts: { train: 90, validation: 10, test: 20 },
    },
    trained: {
      weights: await put(`weights ${unique}`),
      history: await put(HISTORY.join('\n'), 'application/x-ndjson'),
      steps: 10,
      seconds: 4,
      tags: { 'git.commit': 'a'.repeat(40), device: 'cpu', threads: '1' },
    },
    evaluated: {
      summary: {
        samples: 20,
        accuracy: interval(0.95),
        macroF1: interval(0.94),
        logLoss: interval(0.2),
        ece: interval(0.02),
      },
      report: await put('{"report":true}', 'application/json'),
      logits: await put('logits'),
      plots: { 'confusion-matrix.svg': await put('<svg/>', 'image/svg+xml') },
    },
    exported: { onnx: await put(`graph ${unique}`), maxAbsDifference: 2e-7, samples: 20 },
  };
}
