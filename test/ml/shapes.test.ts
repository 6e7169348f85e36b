import { describe, expect, it } from '@jest/globals';
import { ModelConfig } from '../../contracts/model-config.ts';
import { shapeNetwork } from '../../lib/ml/index.ts';

function network(...layers: object[]): ModelConfig {
  return ModelConfig.parse({ name: 'test', layers });
}

const head = { type: 'dense', units: 10 };
const conv = { type: 'conv2d', filters: 4, kernelSize: 5 };

describe('shapeNetwork', () => {
  it('follows the shape of a sample', () => {
    const model = network(
      conv,
      { type: 'maxPooling2d' },
      { ...conv, padding: 'same', strides: 2 },
      { type: 'dropout', rate: 0.5 },
      { type: 'maxPooling2d', poolSize: 3, strides: 2 },
      { type: 'flatten' },
      head,
    );
    const outputs = shapeNetwork(model, [28, 28, 1], 10).map(({ output }) => output);
    expect(outputs).toEqual([[24, 24, 4], [12, 12, 4], [6, 6, 4], [6, 6, 4], [2, 2, 4], [16], [10]]);
  });

  it.each([
    ['an image into dense', [head], 'layers[0]', 'flatten'],
    ['a vector into a convolution', [{ type: 'flatten' }, conv, head], 'layers[1]', 'height, width, channels'],
    ['a vector into pooling', [{ type: 'flatten' }, { type: 'maxPooling2d' }, head], 'layers[1]', 'maxPooling2d'],
    [
      'a kernel larger than the image',
      [
        { ...conv, kernelSize: 15 },
        { ...conv, kernelSize: 15 },
        { ...conv, kernelSize: 15 },
        { type: 'flatten' },
        head,
      ],
      'layers[1]',
      '15 × 15 but gets 14 × 14',
    ],
    [
      'a window larger than the image',
      [{ ...conv, strides: 4 }, { type: 'maxPooling2d', poolSize: 8 }, { type: 'flatten' }, head],
      'layers[1]',
      '8 × 8 but gets 6 × 6',
    ],
    ['too few units at the end', [{ type: 'flatten' }, { type: 'dense', units: 9 }], 'layers[1]', '10 linear units'],
    ['an activation at the end', [{ type: 'flatten' }, { ...head, activation: 'relu' }], 'layers[1]', 'linear'],
    ['no dense layer at the end', [{ type: 'flatten' }, head, { type: 'dropout', rate: 0.5 }], 'layers[2]', 'dense'],
  ])('refuses %s and names the layer', (_name, layers, field, text) => {
    expect(() => shapeNetwork(network(...layers), [28, 28, 1], 10)).toThrow(
      expect.objectContaining({ code: 'MODEL_CONFIG_INVALID', field, message: expect.stringContaining(text) }),
    );
  });

  it('takes samples that are vectors', () => {
    expect(shapeNetwork(network({ type: 'dense', units: 3 }), [4], 3)[0]?.output).toEqual([3]);
  });
});
