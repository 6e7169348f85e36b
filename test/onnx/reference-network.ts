import * as tf from '@tensorflow/tfjs';
import type { Layer, ModelConfig } from '../../contracts/model-config.ts';
import type { PreparedManifest } from '../../contracts/prepared-data.ts';
import type { Tensor } from '../../lib/ml/index.ts';

// Without it every test prints advice to install the native backend.
tf.enableProdMode();

/** Logits of a network on raw samples by the operations of pure JavaScript TensorFlow.js, to compare others with. */
export function referenceLogits(o: {
  model: ModelConfig;
  weights: ReadonlyMap<string, Tensor>;
  preprocessing: PreparedManifest['preprocessing'];
  samples: Uint8Array | Float32Array;
  shape: readonly number[];
}): Float32Array {
  return tf.tidy(() => {
    const size = o.shape.reduce((product, axis) => product * axis, 1);
    const raw = tf.tensor(Float32Array.from(o.samples), [o.samples.length / size, ...o.shape]);
    let value: tf.Tensor = raw.mul(tf.tensor1d(o.preprocessing.scale)).add(tf.tensor1d(o.preprocessing.offset));
    for (const [i, layer] of o.model.layers.entries()) {
      value = apply(
        layer,
        value,
        toTensor(o.weights.get(`layers.${i}.kernel`)),
        toTensor(o.weights.get(`layers.${i}.bias`)),
      );
    }
    return value.dataSync() as Float32Array;
  });
}

/** Shape of one sample after a layer, by TensorFlow.js's own inference. */
export function outputShape(layer: Layer, shape: readonly number[]): readonly number[] {
  if (layer.type === 'dense') return [layer.units];
  return tf.tidy(() => {
    const kernel =
      layer.type === 'conv2d'
        ? tf.zeros([layer.kernelSize, layer.kernelSize, shape[2] ?? 0, layer.filters])
        : tf.scalar(0);
    return apply(layer, tf.zeros([1, ...shape]), kernel, tf.scalar(0)).shape.slice(1);
  });
}

function apply(layer: Layer, value: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor): tf.Tensor {
  switch (layer.type) {
    case 'dense':
      return activate(value.matMul(kernel).add(bias), layer.activation);
    case 'conv2d': {
      const convolved = tf.conv2d(value as tf.Tensor4D, kernel as tf.Tensor4D, layer.strides, layer.padding);
      return activate(convolved.add(bias), layer.activation);
    }
    case 'maxPooling2d':
      return tf.maxPool(value as tf.Tensor4D, layer.poolSize, layer.strides ?? layer.poolSize, 'valid');
    case 'flatten':
      return value.reshape([value.shape[0] ?? 0, -1]);
    case 'dropout':
      return value;
  }
}

function activate(value: tf.Tensor, activation: 'linear' | 'relu' | 'tanh' | 'sigmoid'): tf.Tensor {
  return activation === 'linear' ? value : value[activation]();
}

function toTensor(tensor: Tensor | undefined): tf.Tensor {
  return tensor === undefined ? tf.scalar(0) : tf.tensor(tensor.data, [...tensor.shape]);
}
