import { serveChild } from '../../heavy/index.ts';
import { GraphBuilder } from '../graph/builder.ts';
import { MlError } from '../errors.ts';
import { loadTensorFlow } from '../native/addon.ts';
import { GraphSession } from '../native/session.ts';

/** Loads the addon and multiplies two numbers on the device: a library that only loads is not enough. */
serveChild(() => {
  const { binding, backend, device, tfVersion } = loadTensorFlow();
  const graph = new GraphBuilder();
  graph.identity('product', graph.float('Mul', [graph.placeholder('factor', [1]), graph.scalar(3)]));
  const factor = { shape: [1], data: Float32Array.of(2) };
  const [product] = new GraphSession(binding, graph.savedModel()).run({ factor }, 'product');
  if (product !== 6) throw new MlError('NATIVE_ADDON_MISSING', `TensorFlow computes 2 × 3 = ${product}`);
  return { backend, device, tfVersion };
});
