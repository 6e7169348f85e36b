import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readSafetensors } from '../../lib/ml/index.ts';
import { exportOnnx, importNetwork } from '../../lib/onnx/index.ts';
import { anyNetwork, instantiate } from './networks.ts';
import type { NetworkCase } from './networks.ts';

function exported(network: NetworkCase) {
  const { model, manifest, weights } = instantiate(network);
  const onnx = exportOnnx({ model, weights, manifest, dataSha256: '0'.repeat(64) });
  return { model, manifest, weights, onnx, shape: network.shape, classes: network.classes };
}

describe('an exported network', () => {
  it('gives its weights and preprocessing back, bit by bit', () => {
    fc.assert(
      fc.property(anyNetwork, (network) => {
        const { manifest, weights, ...graph } = exported(network);
        const imported = importNetwork(graph);
        expect(imported.preprocessing).toEqual(manifest.preprocessing);
        expect(readSafetensors(imported.weights).tensors).toEqual(readSafetensors(weights).tensors);
      }),
      { numRuns: 60 },
    );
  });

  const network: NetworkCase = {
    model: fc.sample(anyNetwork, { numRuns: 1, seed: 1 })[0]?.model as NetworkCase['model'],
    shape: [6, 6, 2],
    dtype: 'uint8',
    classes: 3,
    seed: 1,
  };
  const conv = {
    ...network,
    model: {
      ...network.model,
      layers: [
        {
          type: 'conv2d' as const,
          filters: 2,
          kernelSize: 3,
          strides: 1,
          padding: 'valid' as const,
          activation: 'relu' as const,
        },
        { type: 'flatten' as const },
        { type: 'dense' as const, units: 3, activation: 'linear' as const },
      ],
    },
  };

  it('is refused where it is not of the network that is named', () => {
    const graph = exported(conv);
    const [first, ...rest] = conv.model.layers;
    const other = { ...graph.model, layers: [{ ...first, kernelSize: 2 }, ...rest] } as typeof graph.model;
    expect(() => importNetwork({ ...graph, model: other })).toThrow(
      expect.objectContaining({ code: 'WEIGHTS_INVALID', field: 'layers.0.kernel' }),
    );
  });

  it('is refused where it is no graph, or lacks a constant', () => {
    const graph = exported(conv);
    expect(() => importNetwork({ ...graph, onnx: Buffer.from('not a graph') })).toThrow(
      expect.objectContaining({ code: 'MODEL_LOAD_FAILED' }),
    );
    expect(() => importNetwork({ ...graph, onnx: new Uint8Array(0) })).toThrow(
      expect.objectContaining({ code: 'WEIGHTS_INVALID' }),
    );
  });
});
