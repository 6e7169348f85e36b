import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TFJSBinding } from '@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js';
import { makeWorkFolder } from '../../heavy/index.ts';
import { MlError } from '../errors.ts';

/** A value for a placeholder. Bytes are uint8, Int32Array is int32, Float32Array is float32. */
export interface Feed {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array | Uint8Array;
}

/** A TensorFlow session of one graph, and with it the graph's variables. */
export class GraphSession {
  readonly #binding: TFJSBinding;
  readonly #id: number;

  /** @param savedModel what `GraphBuilder.savedModel` returns */
  constructor(binding: TFJSBinding, savedModel: Uint8Array) {
    this.#binding = binding;
    // TensorFlow loads a SavedModel from a folder only; it reads the file at once.
    const folder = makeWorkFolder();
    try {
      writeFileSync(join(folder, 'saved_model.pb'), savedModel);
      this.#id = binding.loadSavedModel(folder, 'serve');
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  /**
   * Runs the part of the graph that `fetch` needs and returns its value. Blocks until it is done; `data` must not change
   * meanwhile, as TensorFlow may read it in place.
   *
   * @throws MlError DEVICE_OUT_OF_MEMORY if TensorFlow could not allocate a tensor.
   */
  run(feeds: Readonly<Record<string, Feed>>, fetch: string): Float32Array {
    const inputs = Object.values(feeds).map((feed) => this.#tensor(feed));
    const names = Object.keys(feeds).map((name) => `${name}:0`);
    try {
      const [output] = this.#binding.runSavedModel(this.#id, inputs, names.join(), `${fetch}:0`);
      if (output === undefined) throw new TypeError(`the graph has no output ${fetch}`);
      try {
        return this.#binding.tensorDataSync(output.id) as Float32Array;
      } finally {
        this.#binding.deleteTensor(output.id);
      }
    } catch (error) {
      throw outOfMemory(error) ?? error;
    } finally {
      for (const input of inputs) this.#binding.deleteTensor(input);
    }
  }

  #tensor({ shape, data }: Feed): number {
    const { TF_FLOAT, TF_INT32, TF_UINT8 } = this.#binding;
    const dtype = data instanceof Float32Array ? TF_FLOAT : data instanceof Int32Array ? TF_INT32 : TF_UINT8;
    return this.#binding.createTensor([...shape], dtype, data);
  }
}

function outOfMemory(error: unknown): MlError | undefined {
  const message = error instanceof Error ? error.message : '';
  if (!/OOM when allocating|RESOURCE_EXHAUSTED|CUDA_ERROR_OUT_OF_MEMORY/.test(message)) return undefined;
  return new MlError('DEVICE_OUT_OF_MEMORY', message.split('\n')[0] ?? message, { cause: error });
}
