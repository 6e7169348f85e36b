import type { ModelConfig } from '../../contracts/model-config.ts';
import { shapeNetwork } from './shapes.ts';
import type { ShapedLayer } from './shapes.ts';
import type { Tensor } from './safetensors.ts';
import { MlError } from './errors.ts';
import { RandomStream } from './random.ts';

/** One trained tensor, and where it lies in the flat vector of all of them. */
export interface Parameter {
  /** `layers.<i>.kernel` or `layers.<i>.bias`, with the layer's index in the configuration. */
  readonly name: string;
  readonly kind: 'kernel' | 'bias';
  /** Dense kernels are [inputs, units], convolutions [height, width, channels, filters]. */
  readonly shape: readonly number[];
  readonly offset: number;
  readonly size: number;
  /** Bound of the uniform distribution a kernel starts from; 0 for biases. */
  readonly limit: number;
}

/** The parameters of a network in the order of its layers, kernel before bias, without gaps. */
export function networkParameters(layers: readonly ShapedLayer[]): Parameter[] {
  let offset = 0;
  return layers.flatMap(layerTensors).map((tensor) => {
    const size = tensor.shape.reduce((product, dimension) => product * dimension, 1);
    const parameter = { ...tensor, offset, size };
    offset += size;
    return parameter;
  });
}

/**
 * Names and shapes of a network's tensors.
 *
 * @param shape of one sample
 * @throws MlError MODEL_CONFIG_INVALID
 */
export function networkShapes(
  model: ModelConfig,
  shape: readonly number[],
  classes: number,
): Pick<Parameter, 'name' | 'shape'>[] {
  return networkParameters(shapeNetwork(model, shape, classes));
}

/** Length of the flat vector. */
export function parameterCount(parameters: readonly Parameter[]): number {
  return parameters.reduce((total, { size }) => total + size, 0);
}

function layerTensors({ index, layer, input }: ShapedLayer): Omit<Parameter, 'offset' | 'size'>[] {
  if (layer.type !== 'dense' && layer.type !== 'conv2d') return [];
  const channels = input.at(-1) as number;
  const outputs = layer.type === 'dense' ? layer.units : layer.filters;
  const window = layer.type === 'dense' ? [] : [layer.kernelSize, layer.kernelSize];
  const area = window.reduce((product, length) => product * length, 1);
  const fanIn = area * channels;
  // He (2015) for rectifiers, Glorot and Bengio (2010) else; uniform, as it needs no transcendental function.
  const limit = Math.sqrt(layer.activation === 'relu' ? 6 / fanIn : 6 / (fanIn + area * outputs));
  return [
    { name: `layers.${index}.kernel`, kind: 'kernel', shape: [...window, channels, outputs], limit },
    { name: `layers.${index}.bias`, kind: 'bias', shape: [outputs], limit: 0 },
  ];
}

/** Starting values: kernels uniform in ±limit from a stream of (seed, position in the network), biases 0. */
export function initialParameters(parameters: readonly Parameter[], seed: number): Float32Array {
  const flat = new Float32Array(parameterCount(parameters));
  parameters.forEach(({ kind, offset, size, limit }, position) => {
    if (kind === 'bias') return;
    const stream = new RandomStream('initialisation', seed, position);
    for (let index = 0; index < size; index += 1) flat[offset + index] = (2 * stream.uniform() - 1) * limit;
  });
  return flat;
}

/** Cuts a flat vector into named tensors that share its memory. */
export function unflatten(parameters: readonly Parameter[], flat: Float32Array, prefix = ''): Map<string, Tensor> {
  return new Map(
    parameters.map(({ name, shape, offset, size }) => [
      prefix + name,
      { shape, data: flat.subarray(offset, offset + size) },
    ]),
  );
}

/**
 * The opposite of `unflatten`; tensors of other names are left alone.
 *
 * @throws MlError WEIGHTS_INVALID with the tensor as `field` if one is missing or has another shape.
 */
export function flatten(
  parameters: readonly Parameter[],
  tensors: ReadonlyMap<string, Tensor>,
  prefix = '',
): Float32Array {
  const flat = new Float32Array(parameterCount(parameters));
  for (const { name, shape, offset } of parameters) {
    const field = prefix + name;
    const tensor = tensors.get(field);
    if (tensor === undefined) throw new MlError('WEIGHTS_INVALID', `tensor ${field} is missing`, { field });
    if (tensor.shape.join() !== shape.join()) {
      const problem = `tensor ${field} is [${tensor.shape.join(', ')}] instead of [${shape.join(', ')}]`;
      throw new MlError('WEIGHTS_INVALID', problem, { field });
    }
    flat.set(tensor.data, offset);
  }
  return flat;
}
