import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createEvaluationActivities } from '../../activities/evaluation/index.ts';
import type { EvaluatedModel, GpuActivities } from '../../contracts/activities.ts';
import { ModelConfig } from '../../contracts/model-config.ts';
import { ArtifactStore } from '../../lib/artifacts/index.ts';
import { readFloat32 } from '../../lib/datasets/index.ts';
import { ClassificationReport } from '../../lib/evaluation/index.ts';
import { instantiate } from '../onnx/networks.ts';

type Input = Parameters<GpuActivities['evaluateModel']>[0];

const root = mkdtempSync(path.join(tmpdir(), 'saip-evaluation-'));
const store = new ArtifactStore({ root });
const { evaluateModel } = createEvaluationActivities({ store, threads: 1 });
const run = (environment: MockActivityEnvironment, argument: Input): Promise<EvaluatedModel> =>
  environment.run(evaluateModel, argument);
afterAll(() => rmSync(root, { recursive: true }));

const network = instantiate({
  model: ModelConfig.parse({
    name: 'tiny',
    layers: [
      { type: 'conv2d', filters: 3, kernelSize: 3, padding: 'same', activation: 'relu' },
      { type: 'flatten' },
      { type: 'dense', units: 3 },
    ],
  }),
  shape: [6, 6, 1],
  dtype: 'uint8',
  classes: 3,
  seed: 2,
});
const put = (bytes: Uint8Array) => store.put(bytes, { mediaType: 'application/octet-stream' });

async function input(): Promise<Input> {
  const { splits } = network.manifest;
  const x = await put(new Uint8Array(network.samples));
  const y = await put(new Uint8Array(Int32Array.of(0, 1, 2, 0, 1, 2, 0).buffer));
  const digest = 'd'.repeat(64);
  const manifest = { ...network.manifest, splits: { ...splits, test: { x, y, count: network.count } } };
  return {
    model: network.model,
    seed: 3,
    data: {
      manifest: await store.putJson(manifest),
      cardSha256: digest,
      dataSha256: digest,
      classes: 3,
      counts: { train: 7, validation: 7, test: 7 },
    },
    trained: {
      weights: await put(network.weights),
      history: await put(
        Buffer.from('{"step":1,"epoch":0,"loss":1.1}\n{"step":2,"epoch":0,"loss":1.0,"valLoss":1.2}\n'),
      ),
      steps: 2,
      seconds: 1,
      tags: {},
    },
  };
}

describe('evaluateModel activity', () => {
  it('stores logits, report and pictures of the test split, and heartbeats', async () => {
    const environment = new MockActivityEnvironment();
    const stages: unknown[] = [];
    environment.on('heartbeat', ({ stage }: { stage: string }) => stages.push(stage));
    const evaluated = await run(environment, await input());
    const logits = await readFloat32(await store.path(evaluated.logits));
    expect(logits).toHaveLength(network.logits.length);
    for (const [i, value] of network.logits.entries()) expect(logits[i]).toBeCloseTo(value, 3);
    const report = await store.readJson(evaluated.report, ClassificationReport);
    expect(report.summary).toEqual(evaluated.summary);
    expect(report.summary.samples).toBe(7);
    expect(Object.entries(evaluated.plots).map(([name, { mediaType }]) => [name, mediaType])).toEqual(
      ['training-curves', 'confusion-matrix', 'reliability-diagram', 'worst-mistakes'].flatMap((name) => [
        [`${name}.svg`, 'image/svg+xml'],
        [`${name}.png`, 'image/png'],
      ]),
    );
    expect(new Set(stages)).toEqual(new Set(['predictions', 'metrics', 'plots']));
    expect(await run(new MockActivityEnvironment(), await input())).toEqual(evaluated);
  });

  it('ends when the activity is cancelled', async () => {
    const environment = new MockActivityEnvironment();
    environment.once('heartbeat', () => environment.cancel('CANCELLED'));
    await expect(run(environment, await input())).rejects.toThrow('CANCELLED');
  });
});
