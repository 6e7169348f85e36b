/** @jest-environment ./test/support/ort-environment.js */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import onnxProto from 'onnx-proto';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { ModelConfig } from '../../contracts/model-config.ts';
import { argmax, softmax } from '../../lib/evaluation/index.ts';
import { exportOnnx } from '../../lib/onnx/index.ts';
import { anyNetwork, instantiate } from './networks.ts';
import type { Instance } from './networks.ts';

const dataSha256 = 'ab'.repeat(32);

function exported({ model, weights, manifest }: Instance): Uint8Array {
  return exportOnnx({ model, weights, manifest, dataSha256 });
}

async function run(onnx: Uint8Array, o: Instance): Promise<{ probabilities: Float32Array; labels: number[] }> {
  const session = await InferenceSession.create(onnx, { intraOpNumThreads: 1, executionMode: 'sequential' });
  const input = new Tensor('float32', Float32Array.from(o.samples), [o.count, ...o.manifest.input.shape]);
  const outputs = await session.run({ [o.manifest.input.name]: input });
  return {
    probabilities: outputs.probabilities?.data as Float32Array,
    labels: Array.from(outputs.label?.data as BigInt64Array, Number),
  };
}

const instance = instantiate({
  model: ModelConfig.parse({
    name: 'tiny',
    layers: [
      { type: 'conv2d', filters: 2, kernelSize: 3, padding: 'same' },
      { type: 'flatten' },
      { type: 'dense', units: 3 },
    ],
  }),
  shape: [4, 5, 1],
  dtype: 'uint8',
  classes: 3,
  seed: 7,
});

describe('exportOnnx', () => {
  it('agrees with TensorFlow.js for any network of the allow-list', async () => {
    await fc.assert(
      fc.asyncProperty(anyNetwork, async (network) => {
        const o = instantiate(network);
        const { probabilities, labels } = await run(exported(o), o);
        const expected = softmax(o.logits, network.classes);
        expect(Math.max(...expected.map((value, i) => Math.abs(value - (probabilities[i] ?? NaN))))).toBeLessThan(1e-5);
        expect(labels).toEqual([...argmax(o.logits, network.classes)]);
      }),
      { numRuns: 150 },
    );
  });

  it('gives equal bytes for equal arguments', () => {
    expect(Buffer.from(exported(instance)).equals(exported(instance))).toBe(true);
  });

  it('carries the model, data digest and labels as metadata, and names inputs and outputs', async () => {
    const bytes = exported(instance);
    const { metadataProps, irVersion, opsetImport } = onnxProto.onnx.ModelProto.decode(bytes);
    expect(Object.fromEntries(metadataProps.map(({ key, value }) => [key, value]))).toEqual({
      'saip.model': 'tiny',
      'saip.dataset': 'random',
      'saip.data_sha256': dataSha256,
      'saip.labels': '["class 0","class 1","class 2"]',
    });
    expect([Number(irVersion), Number(opsetImport[0]?.version)]).toEqual([7, 13]);
    const session = await InferenceSession.create(bytes);
    expect(session.inputMetadata).toEqual([
      { name: 'sample', isTensor: true, type: 'float32', shape: ['batch', 4, 5, 1] },
    ]);
    expect(session.outputMetadata).toEqual([
      { name: 'probabilities', isTensor: true, type: 'float32', shape: ['batch', 3] },
      { name: 'label', isTensor: true, type: 'int64', shape: ['batch'] },
    ]);
  });

  it.each([
    ['a layer outside the allow-list', [{ type: 'lstm' }], 'layers[0]', /type lstm/],
    ['a dense layer on an image', [{ type: 'dense', units: 3, activation: 'linear' }], 'layers[0]', /flatten/],
    [
      'a convolution after a flatten',
      [{ type: 'flatten' }, { type: 'conv2d', filters: 1, kernelSize: 1, strides: 1, padding: 'same' }],
      'layers[1]',
      /height, width and channels/,
    ],
    ['a window larger than its input', [{ type: 'maxPooling2d', poolSize: 6 }], 'layers[0]', /no smaller/],
    ['another number of outputs than classes', [{ type: 'flatten' }], 'layers[0]', /3 classes/],
  ])('refuses %s', (_, layers, field, message) => {
    const model = { ...instance.model, layers } as ModelConfig;
    const attempt = (): unknown => exported({ ...instance, model });
    expect(attempt).toThrow(expect.objectContaining({ code: 'EXPORT_UNSUPPORTED', field }));
    expect(attempt).toThrow(message);
  });

  it.each([
    ['is missing', { name: 'tiny', layers: [{ type: 'flatten' }, { type: 'dense', units: 3 }] }, 'layers.1.kernel'],
    [
      'has another shape',
      {
        name: 'tiny',
        layers: [{ type: 'conv2d', filters: 2, kernelSize: 5, padding: 'same' }, ...instance.model.layers.slice(1)],
      },
      'layers.0.kernel',
    ],
  ])('refuses weights of which one %s', (problem, model, field) => {
    const attempt = (): unknown => exported({ ...instance, model: ModelConfig.parse(model) });
    expect(attempt).toThrow(expect.objectContaining({ code: 'WEIGHTS_INVALID', field }));
    expect(attempt).toThrow(problem.replace('another', 'the'));
  });
});
