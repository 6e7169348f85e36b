import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ScanReport } from '../../../contracts/import-model.ts';
import { HeavyError, inWorkFolder, runChild } from '../../heavy/index.ts';
import type { AdaptOptions } from '../imported/adapt.ts';
import { SCAN_LIMITS } from './limits.ts';
import { tooLarge } from './refusals.ts';

export interface ScanJob {
  readonly path: string;
  /** Also writes the two graphs that `adaptModel` makes. */
  readonly adapt?: { readonly options: Omit<AdaptOptions, 'scanned'>; readonly served: string; readonly bare: string };
}

export type ScanStep = 'read' | 'scanned' | 'adapted';

export interface ScanOptions {
  readonly signal?: AbortSignal;
  /** Called after each step of the child. */
  readonly onProgress?: (step: ScanStep) => void;
}

/** Decoded, a file within the limits takes less; a file that was made to take more ends the child. */
const MEMORY_BYTES = 3 * 2 ** 30;

/**
 * `scanModel` on a file, in a child process with a memory limit. The size is looked at before anything is read.
 *
 * @throws OnnxError (or HeavyError with its code) as `scanModel`, also where memory runs out; the system error
 * where the file cannot be read
 */
export async function scanOnnx(path: string, options: ScanOptions = {}): Promise<ScanReport> {
  return scan({ path }, options);
}

/**
 * Scans a file and wraps it for the platform, as `adaptModel`.
 *
 * @param use gets the paths of the two graphs, which are gone when it has returned
 * @throws as `scanOnnx` and `adaptModel`
 */
export async function adaptOnnx<T>(
  path: string,
  adapt: Omit<AdaptOptions, 'scanned'>,
  use: (graphs: { readonly served: string; readonly bare: string }) => Promise<T>,
  options: ScanOptions = {},
): Promise<T> {
  return inWorkFolder(async (folder) => {
    const graphs = { served: join(folder, 'served.onnx'), bare: join(folder, 'bare.onnx') };
    await scan({ path, adapt: { options: adapt, ...graphs } }, options);
    return use(graphs);
  });
}

async function scan(job: ScanJob, { signal, onProgress }: ScanOptions): Promise<ScanReport> {
  const { size } = await stat(job.path);
  if (size > SCAN_LIMITS.bytes) throw tooLarge('model', `${size} bytes, at most ${SCAN_LIMITS.bytes} are read`);
  const entry = new URL('child.ts', import.meta.url);
  try {
    return await runChild<ScanReport, ScanStep>({
      ...{ entry, input: job, memoryBytes: MEMORY_BYTES, signal },
      onReport: onProgress,
    });
  } catch (error) {
    if (!(error instanceof HeavyError) || error.code !== 'DEVICE_OUT_OF_MEMORY') throw error;
    throw tooLarge('model', `decoding takes more than ${MEMORY_BYTES / 2 ** 20} MiB`);
  }
}
