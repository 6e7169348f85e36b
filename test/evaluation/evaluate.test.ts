import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { PreparedManifest } from '../../contracts/prepared-data.ts';
import { ArtifactStore } from '../../lib/artifacts/index.ts';
import { ClassificationReport, evaluate } from '../../lib/evaluation/index.ts';

const root = mkdtempSync(path.join(tmpdir(), 'saip-evaluate-'));
const store = new ArtifactStore({ root });
const mediaType = 'application/octet-stream';
const count = 30;
const labels = Int32Array.from({ length: count }, (_, i) => i % 3);
const logits = Float32Array.from({ length: count * 3 }, (_, i) => (i % 3 === Math.floor(i / 3) % 3 ? 2 : (i % 7) / 2));
const history = '{"step":1,"epoch":0,"loss":1.1}\n{"step":2,"epoch":0,"loss":0.4,"valLoss":0.5}\n';
let manifest: PreparedManifest;

beforeAll(async () => {
  const x = await store.put(
    Uint8Array.from({ length: count * 25 }, (_, i) => i % 256),
    { mediaType },
  );
  const y = await store.put(new Uint8Array(labels.buffer), { mediaType });
  const split = { x, y, count };
  manifest = {
    version: 1,
    dataset: 'shapes',
    seed: 1,
    validationShare: 0.1,
    input: { name: 'image', shape: [5, 5, 1], dtype: 'uint8' },
    labels: ['circle', 'square', 'star'],
    preprocessing: { kind: 'affine', scale: [1], offset: [0] },
    splits: { train: split, validation: split, test: split },
  };
});
afterAll(() => rmSync(root, { recursive: true }));

describe('evaluate', () => {
  it('gives a report of the test split and its pictures, the same twice', async () => {
    const stages: string[] = [];
    const options = { model: 'tiny', manifest, store, logits, history, seed: 9 };
    const { report, pictures } = await evaluate({ ...options, onProgress: ({ stage }) => void stages.push(stage) });
    expect(ClassificationReport.parse(report)).toEqual(report);
    expect(report).toMatchObject({
      model: 'tiny',
      dataset: 'shapes',
      testSet: { x: manifest.splits.test.x.sha256, y: manifest.splits.test.y.sha256 },
      intervals: { level: 0.95, resamples: 1000, seed: 9 },
      summary: { samples: count },
    });
    expect(ClassificationReport.parse(report).perClass.map(({ label, support }) => [label, support])).toEqual([
      ['circle', 10],
      ['square', 10],
      ['star', 10],
    ]);
    expect(Object.keys(pictures)).toHaveLength(4);
    expect(new Set(stages)).toEqual(new Set(['metrics', 'plots']));
    expect((await evaluate(options)).report).toEqual(report);
  });

  it('refuses logits of another test set', async () => {
    const attempt = evaluate({ model: 'tiny', manifest, store, logits: logits.slice(3), history, seed: 9 });
    await expect(attempt).rejects.toMatchObject({ code: 'EVALUATION_INPUT_INVALID', field: 'logits' });
  });

  it('names the line of a history that is no step', async () => {
    const attempt = evaluate({ model: 'tiny', manifest, store, logits, history: `${history}{"step":3}`, seed: 9 });
    await expect(attempt).rejects.toMatchObject({
      code: 'EVALUATION_INPUT_INVALID',
      field: 'history',
      message: expect.stringContaining('line 3'),
    });
  });
});
