import { runChild } from '../heavy/index.ts';
import { detectDevice, planTraining, tensorFlowEnvironment } from './device.ts';
import type { Device, ParallelismSettings } from './device.ts';

export interface DeviceReport extends Device {
  /** `tensorflow`: the native backend. */
  readonly backend: string;
  readonly tfVersion: string;
  /** Per training process; 0 where TensorFlow chooses. */
  readonly threads: number;
  /** Training processes. */
  readonly replicas: number;
}

/**
 * Loads TensorFlow in a child, runs one operation, and tells what a training would run on here.
 *
 * @throws HeavyError NATIVE_ADDON_MISSING, GPU_NOT_VISIBLE, CHILD_CRASHED
 */
export async function deviceReport(
  options: { readonly parallelism?: ParallelismSettings; readonly signal?: AbortSignal } = {},
): Promise<DeviceReport> {
  const device = detectDevice();
  const { threads, replicas } = planTraining(device, options.parallelism);
  const loaded = await runChild<Pick<DeviceReport, 'device' | 'backend' | 'tfVersion'>>({
    entry: new URL('./children/device.ts', import.meta.url),
    input: undefined,
    env: tensorFlowEnvironment(threads),
    signal: options.signal,
  });
  return { ...device, ...loaded, threads, replicas };
}
