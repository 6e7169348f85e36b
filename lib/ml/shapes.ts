import type { Layer, ModelConfig } from '../../contracts/model-config.ts';
import { MlError } from './errors.ts';

/** Shape of one sample, without the batch axis: [features] or [height, width, channels]. */
export type SampleShape = readonly number[];

/** A layer with the shapes it takes and gives. */
export interface ShapedLayer {
  readonly index: number;
  readonly layer: Layer;
  readonly input: SampleShape;
  readonly output: SampleShape;
}

/**
 * Follows a sample's shape through the network.
 *
 * @throws MlError MODEL_CONFIG_INVALID with `field` `layers[i]` (counted from 0) where a layer cannot take what comes,
 * or where the last one is not `dense` with so many linear units as the data asks for: one a class, or one for a number.
 */
export function shapeNetwork(model: ModelConfig, input: SampleShape, outputs: number): ShapedLayer[] {
  let shape = input;
  const layers = model.layers.map((layer, index): ShapedLayer => {
    const output = outputShape(layer, shape, index);
    const shaped = { index, layer, input: shape, output };
    shape = output;
    return shaped;
  });
  const last = model.layers.length - 1;
  const head = model.layers[last];
  if (head?.type !== 'dense' || head.units !== outputs || head.activation !== 'linear') {
    const units = model.task === 'regression' ? 'one linear unit' : `${outputs} linear units, one for each class`;
    throw invalid(last, `must be dense with ${units}`);
  }
  return layers;
}

function outputShape(layer: Layer, input: SampleShape, index: number): SampleShape {
  switch (layer.type) {
    case 'dense':
      if (input.length !== 1)
        throw invalid(index, `dense takes a vector but gets [${input.join(', ')}]: flatten first`);
      return [layer.units];
    case 'flatten':
      return [input.reduce((product, size) => product * size, 1)];
    case 'dropout':
      return input;
    case 'conv2d':
      return convolved(layer, image(input, layer.type, index), index);
    case 'maxPooling2d': {
      const [height, width, channels] = image(input, layer.type, index);
      const stride = layer.strides ?? layer.poolSize;
      const size = [height, width].map((length) => Math.floor((length - layer.poolSize) / stride) + 1);
      if (Math.min(height, width) < layer.poolSize) throw tooSmall(index, layer.poolSize, height, width);
      return [...size, channels];
    }
  }
}

function convolved(
  layer: Extract<Layer, { type: 'conv2d' }>,
  [height, width]: readonly [number, number, number],
  index: number,
): SampleShape {
  const { kernelSize, strides, padding, filters } = layer;
  if (padding === 'same') return [Math.ceil(height / strides), Math.ceil(width / strides), filters];
  if (Math.min(height, width) < kernelSize) throw tooSmall(index, kernelSize, height, width);
  return [Math.floor((height - kernelSize) / strides) + 1, Math.floor((width - kernelSize) / strides) + 1, filters];
}

function image(input: SampleShape, type: string, index: number): readonly [number, number, number] {
  const [height, width, channels, ...more] = input;
  if (height === undefined || width === undefined || channels === undefined || more.length > 0) {
    throw invalid(index, `${type} takes [height, width, channels] but gets [${input.join(', ')}]`);
  }
  return [height, width, channels];
}

function tooSmall(index: number, window: number, height: number, width: number): MlError {
  return invalid(index, `has a window of ${window} × ${window} but gets ${height} × ${width}`);
}

function invalid(index: number, problem: string): MlError {
  return new MlError('MODEL_CONFIG_INVALID', `layers[${index}] ${problem}`, { field: `layers[${index}]` });
}
