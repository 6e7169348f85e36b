import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ArtifactStore } from '../../lib/artifacts/index.ts';
import { prepare } from '../../lib/datasets/index.ts';
import { RandomStream, loadPreset, networkShapes, writeSafetensors } from '../../lib/ml/index.ts';
import { exportOnnx } from '../../lib/onnx/index.ts';
import { deepModel } from '../../test/api/support/onnx-models.ts';

export interface BenchModel {
  /** ONNX file. */
  readonly file: string;
  /** One request of one sample. */
  readonly body: Buffer;
  readonly contentType: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The preset's graph as the platform exports it, with weights as they are before training, and an image of the test set. */
export async function mnistModel(folder: string): Promise<BenchModel> {
  const store = new ArtifactStore({ root: join(folder, 'artifacts') });
  const { manifest, manifestRef } = await prepare({ dataset: 'mnist', seed: 42, validationShare: 0.1, store });
  const { model } = loadPreset('mnist-mlp');
  const stream = new RandomStream('bench', 1, 0);
  const tensors = networkShapes(model, manifest.input.shape, manifest.labels.length).map(({ name, shape }) => {
    const size = shape.reduce((product, dimension) => product * dimension, 1);
    return [name, { shape, data: Float32Array.from({ length: size }, () => 0.2 * stream.uniform() - 0.1) }] as const;
  });
  const weights = writeSafetensors(new Map(tensors));
  const file = join(folder, 'mnist.onnx');
  await writeFile(file, exportOnnx({ model, weights, manifest, dataSha256: manifestRef.sha256 }));
  const pixels = (await store.read(manifest.splits.test.x)).subarray(0, 784);
  return { file, ...asJson(manifest.input.name, [1, ...manifest.input.shape], [...pixels]) };
}

/** A graph whose call takes a millisecond and more, most of it for reading its weights: what batches are for. */
export async function slowModel(folder: string): Promise<BenchModel> {
  const size = 512;
  const file = join(folder, 'slow.onnx');
  await writeFile(file, deepModel({ size, layers: 24 }));
  const values = Array.from({ length: size }, (_, index) => index % 7);
  return { file, ...asJson('x', [1, size], values) };
}

type BenchRequest = Omit<BenchModel, 'file'>;

function asJson(name: string, shape: readonly number[], data: readonly number[]): BenchRequest {
  const body = Buffer.from(JSON.stringify({ inputs: [{ name, shape, datatype: 'FP32', data }] }));
  return { body, contentType: 'application/json', headers: {} };
}

/** The same request with raw tensors, in both directions, as the binary extension of the protocol has it. */
export function withRawTensors({ file, body }: BenchModel): BenchModel {
  const { inputs } = JSON.parse(body.toString()) as { inputs: [{ name: string; shape: number[]; data: number[] }] };
  const [{ name, shape, data }] = inputs;
  const raw = Buffer.from(Float32Array.from(data).buffer);
  const input = { name, shape, datatype: 'FP32', parameters: { binary_data_size: raw.length } };
  const json = Buffer.from(JSON.stringify({ inputs: [input], parameters: { binary_data_output: true } }));
  return {
    file,
    body: Buffer.concat([json, raw]),
    contentType: 'application/octet-stream',
    headers: { 'Inference-Header-Content-Length': String(json.length) },
  };
}
