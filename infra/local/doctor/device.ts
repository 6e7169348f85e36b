import { isSaipError } from '../../../contracts/errors.ts';
import { loadToolchain } from '../toolchain.ts';
import type { Toolchain } from '../toolchain.ts';
import type { Finding } from './finding.ts';

const check = 'device';
const TIMEOUT_MS = 60_000;

/** Loads TensorFlow in a child process and tells what a training would run on. */
export async function checkDevice(): Promise<Finding[]> {
  const toolchain = loadedToolchain();
  // Without a toolchain there is nothing to load, and another check says so.
  if (toolchain === undefined) return [];
  if (toolchain.cudaLibraryPath.length > 0) process.env.LD_LIBRARY_PATH = toolchain.cudaLibraryPath.join(':');
  const { deviceReport } = await import('../../../lib/ml/index.ts');
  try {
    const { device, name, backend, tfVersion, threads, replicas } = await deviceReport({
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const layout = `${replicas} × ${threads === 0 ? 'as many threads as TensorFlow chooses' : `${threads} thread`}`;
    return [
      {
        check,
        level: 'ok',
        message: `${device} (${name}), native TensorFlow ${tfVersion}, backend ${backend}, ${layout}`,
      },
    ];
  } catch (error) {
    if (!isSaipError(error)) throw error;
    return [{ check, level: 'error', message: `${error.code}: ${error.message}`, mend: error.spec.hint }];
  }
}

function loadedToolchain(): Toolchain | undefined {
  try {
    return loadToolchain();
  } catch {
    return undefined;
  }
}
