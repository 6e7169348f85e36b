import { createRequire } from 'node:module';
import type { TFJSBinding } from '@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js';
import { detectDevice } from '../device.ts';
import { MlError } from '../errors.ts';

/** What is used of `@tensorflow/tfjs-node-gpu`. */
interface TensorFlowModule {
  getBackend(): string;
  backend(): { readonly binding: TFJSBinding; readonly isUsingGpuDevice: boolean };
}

export interface NativeTensorFlow {
  readonly binding: TFJSBinding;
  readonly backend: string;
  readonly device: 'cpu' | 'cuda';
  readonly tfVersion: string;
}

/**
 * Loads the native addon into this process, which must be a child made for it: TensorFlow's calls block the event loop
 * and its memory returns to the machine only when the process ends.
 *
 * @throws MlError NATIVE_ADDON_MISSING if the addon or its library cannot be loaded, or another backend answers;
 * GPU_NOT_VISIBLE if the driver shows a GPU and TensorFlow does not use it.
 */
export function loadTensorFlow(): NativeTensorFlow {
  const tensorflow = requireAddon();
  const backend = tensorflow.getBackend();
  if (backend !== 'tensorflow') throw new MlError('NATIVE_ADDON_MISSING', `TensorFlow.js fell back to "${backend}"`);
  const { binding, isUsingGpuDevice } = tensorflow.backend();
  if (detectDevice().device === 'cuda' && !isUsingGpuDevice) {
    throw new MlError('GPU_NOT_VISIBLE', 'nvidia-smi lists a GPU but TensorFlow sees none');
  }
  return { binding, backend, device: isUsingGpuDevice ? 'cuda' : 'cpu', tfVersion: binding.TF_Version };
}

function requireAddon(): TensorFlowModule {
  const require = createRequire(import.meta.url);
  restoreRemovedFunctions(require('node:util') as Record<string, unknown>);
  try {
    return require('@tensorflow/tfjs-node-gpu') as TensorFlowModule;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw new MlError('NATIVE_ADDON_MISSING', `the native TensorFlow addon cannot be loaded: ${reason}`, { cause });
  }
}

/** Node 23 removed two long deprecated functions that tfjs-node 4.22 still calls. */
function restoreRemovedFunctions(util: Record<string, unknown>): void {
  util['isNullOrUndefined'] ??= (value: unknown) => value === null || value === undefined;
  util['isArray'] ??= Array.isArray;
}
