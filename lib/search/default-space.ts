import type { Layer } from '../../contracts/model-config.ts';
import type { Configuration, SearchRange, SearchSpace } from '../../contracts/search-space.ts';

/** Most fields that a search varies by itself: more would spread few trials too thinly. */
const MAX_LAYERS = 6;

/**
 * A space round a configuration that is known to work: the learning rate within a factor of ten, half, equal and twice
 * the batch size and widths, dropout between 0.1 and 0.6, and no or a little weight decay. It holds that configuration.
 */
export function defaultSpace({ model, training }: Configuration): SearchSpace {
  const { optimizer, batchSize } = training;
  const { initial } = optimizer.learningRate;
  const rates = { low: significant(initial / 10), high: Math.min(10, significant(initial * 10)) };
  return {
    'training.optimizer.learningRate.initial': { kind: 'logUniform', ...rates },
    'training.batchSize': around(batchSize, 1, 65_536),
    'training.weightDecay': { kind: 'choice', values: [...new Set([0, training.weightDecay, 1e-5, 1e-4])] },
    ...(optimizer.type === 'sgd' && { 'training.optimizer.momentum': { kind: 'uniform', low: 0, high: 0.99 } }),
    // The last layer has as many units as there are classes.
    ...Object.fromEntries(model.layers.slice(0, -1).flatMap(layerSpace).slice(0, MAX_LAYERS)),
  };
}

function layerSpace(layer: Layer, index: number): [string, SearchRange][] {
  const path = `model.layers.${index}`;
  switch (layer.type) {
    case 'dense':
      return [[`${path}.units`, around(layer.units, 1, 8192)]];
    case 'conv2d':
      return [[`${path}.filters`, around(layer.filters, 1, 1024)]];
    case 'dropout':
      return [[`${path}.rate`, { kind: 'uniform', low: Math.min(layer.rate, 0.1), high: Math.max(layer.rate, 0.6) }]];
    default:
      return [];
  }
}

function around(value: number, low: number, high: number): SearchRange {
  const values = [Math.floor(value / 2), value, value * 2].filter((size) => size >= low && size <= high);
  return { kind: 'choice', values: [...new Set(values)] };
}

function significant(value: number): number {
  return Number(value.toPrecision(2));
}
