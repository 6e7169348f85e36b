import type { ModelConfig } from '../../contracts/model-config.ts';
import type { PreparedManifest } from '../../contracts/prepared-data.ts';
import type { ArtifactRef } from '../../contracts/reference.ts';
import type { ArtifactStore } from '../artifacts/index.ts';
import { runChild } from '../heavy/index.ts';
import type { LogitsInput } from './children/logits.ts';
import { detectDevice, planTraining, tensorFlowEnvironment } from './device.ts';

export interface ComputeLogitsOptions {
  readonly model: ModelConfig;
  /** Safetensors file of the trained weights. */
  readonly weights: ArtifactRef;
  readonly manifest: PreparedManifest;
  readonly split: keyof PreparedManifest['splits'];
  readonly store: Pick<ArtifactStore, 'path'>;
  readonly threads?: number;
  readonly signal?: AbortSignal;
  /** Samples done so far. */
  readonly onProgress?: (samples: number) => void;
}

/**
 * Logits of every sample of a split, [samples, classes] row-major, or its predicted quantities in their own unit, [samples,
 * 1]; computed in a child. Batches have one fixed size, the
 * last one padded, so that a sample's logits do not depend on its place or on how many samples there are.
 *
 * @throws MlError MODEL_CONFIG_INVALID, WEIGHTS_INVALID; ArtifactError; HeavyError
 */
export async function computeLogits(options: ComputeLogitsOptions): Promise<Float32Array> {
  const { model, manifest, store, weights } = options;
  const split = manifest.splits[options.split];
  const threads = options.threads ?? planTraining(detectDevice()).threads;
  const input: LogitsInput = {
    model,
    manifest,
    weights: await store.path(weights),
    files: { x: await store.path(split.x), y: await store.path(split.y) },
  };
  return runChild<Float32Array, number>({
    entry: new URL('./children/logits.ts', import.meta.url),
    input,
    env: tensorFlowEnvironment(threads),
    signal: options.signal,
    onReport: options.onProgress,
  });
}
