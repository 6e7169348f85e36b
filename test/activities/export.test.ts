import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createExportActivities } from '../../activities/export/index.ts';
import type { CpuActivities, ExportedModel } from '../../contracts/activities.ts';
import { ModelConfig } from '../../contracts/model-config.ts';
import { ArtifactStore } from '../../lib/artifacts/index.ts';
import { instantiate } from '../onnx/networks.ts';

type Input = Parameters<CpuActivities['exportOnnx']>[0];

const root = mkdtempSync(path.join(tmpdir(), 'saip-export-'));
const store = new ArtifactStore({ root });
const { exportOnnx } = createExportActivities({ store });
afterAll(() => rmSync(root, { recursive: true }));

const run = (environment: MockActivityEnvironment, argument: Input): Promise<ExportedModel> =>
  environment.run(exportOnnx, argument);
const put = (bytes: Uint8Array) => store.put(bytes, { mediaType: 'application/octet-stream' });

async function input(change: (logits: Float32Array) => Float32Array = (logits) => logits): Promise<Input> {
  const model = ModelConfig.parse({ name: 'tiny', layers: [{ type: 'flatten' }, { type: 'dense', units: 3 }] });
  const { manifest, samples, weights, logits } = instantiate({
    model,
    shape: [2, 2, 1],
    dtype: 'uint8',
    classes: 3,
    seed: 4,
  });
  const test = { ...manifest.splits.test, x: await put(new Uint8Array(samples)) };
  const digest = 'd'.repeat(64);
  return {
    model,
    weights: await put(weights),
    logits: await put(new Uint8Array(Float32Array.from(change(logits)).buffer)),
    data: {
      manifest: await store.putJson({ ...manifest, splits: { ...manifest.splits, test } }),
      cardSha256: digest,
      dataSha256: digest,
      classes: 3,
      counts: { train: 7, validation: 7, test: 7 },
    },
  };
}

describe('exportOnnx activity', () => {
  it('stores the graph, the same one for every attempt, and heartbeats', async () => {
    const environment = new MockActivityEnvironment();
    const beats: unknown[] = [];
    environment.on('heartbeat', (details: unknown) => beats.push(details));
    const exported = await run(environment, await input());
    expect(exported).toMatchObject({ samples: 7, onnx: { mediaType: 'application/onnx' } });
    expect(exported.maxAbsDifference).toBeLessThanOrEqual(1e-5);
    expect(await store.exists(exported.onnx)).toBe(true);
    expect(beats).toEqual([{ done: 7, total: 7 }]);
    expect((await run(new MockActivityEnvironment(), await input())).onnx).toEqual(exported.onnx);
  });

  it('refuses a graph that differs from the trained network', async () => {
    const other = await input((logits) => logits.map((value) => -value));
    await expect(run(new MockActivityEnvironment(), other)).rejects.toMatchObject({ code: 'EXPORT_PARITY' });
  });

  it('ends when the activity is cancelled', async () => {
    const environment = new MockActivityEnvironment();
    environment.cancel('CANCELLED');
    await expect(run(environment, await input())).rejects.toThrow('CANCELLED');
  });
});
