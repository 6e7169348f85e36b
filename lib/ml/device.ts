import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import type { TrainingPlan } from '../../contracts/training-store.ts';

export interface Device {
  readonly device: 'cpu' | 'cuda';
  /** Marketing name of processor or GPU. */
  readonly name: string;
  /**
   * Devices of one class compute the same bits: a GPU model, or processors with the same widest vector instructions.
   * A training resumes from checkpoints of its own class only.
   */
  readonly deviceClass: string;
}

/** What the machine offers, found without loading TensorFlow. `CUDA_VISIBLE_DEVICES` empty or -1 hides the GPU. */
export function detectDevice(): Device {
  const gpu = gpuName();
  if (gpu !== undefined) return { device: 'cuda', name: gpu, deviceClass: `cuda-${slug(gpu)}` };
  return { device: 'cpu', name: cpus()[0]?.model.trim() ?? 'unknown', deviceClass: processorClass() };
}

export interface ParallelismSettings {
  readonly replicas?: number | undefined;
  readonly threads?: number | undefined;
}

/**
 * How a new training is laid out: on a GPU one process that leaves threads to TensorFlow; else one single-threaded
 * process per core, at most two, which beats one process of two threads as there is no join inside each operation.
 */
export function planTraining({ device }: Device, settings: ParallelismSettings = {}): TrainingPlan {
  if (device === 'cuda') return { replicas: settings.replicas ?? 1, threads: settings.threads ?? 0, split: 1 };
  return {
    replicas: settings.replicas ?? Math.min(2, availableParallelism()),
    threads: settings.threads ?? 1,
    split: 1,
  };
}

/**
 * Settings that TensorFlow and NVIDIA's libraries read when they are loaded. oneDNN's kernels are two to eight times
 * faster for convolutions where TensorFlow leaves them off by default, and equal operations give equal bits only if they
 * are on or off always. TF32 would round the factors of every product to 10 bits: probabilities of a GPU and of ONNX
 * Runtime then differ by 1e-3.
 */
export function tensorFlowEnvironment(threads: number): Record<string, string> {
  const parallelism = {
    TF_NUM_INTRAOP_THREADS: String(threads),
    TF_NUM_INTEROP_THREADS: '1',
    OMP_NUM_THREADS: String(threads),
  };
  return {
    ...(threads === 0 ? {} : parallelism),
    TF_CPP_MIN_LOG_LEVEL: '2',
    TF_DETERMINISTIC_OPS: '1',
    TF_CUDNN_DETERMINISTIC: '1',
    TF_ENABLE_ONEDNN_OPTS: '1',
    TF_FORCE_GPU_ALLOW_GROWTH: 'true',
    NVIDIA_TF32_OVERRIDE: '0',
  };
}

function gpuName(): string | undefined {
  const visible = process.env['CUDA_VISIBLE_DEVICES'];
  if (visible === '' || visible === '-1') return undefined;
  try {
    const query = ['--query-gpu=name', '--format=csv,noheader'];
    const output = execFileSync('nvidia-smi', query, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return output.split('\n')[0]?.trim() || undefined;
  } catch {
    // No driver, or one that does not answer: no GPU.
    return undefined;
  }
}

/** Class of the processor, whatever GPU there is: its widest vector instructions decide the last bits. */
export function processorClass(): string {
  return `cpu-${vectorInstructions()}`;
}

function vectorInstructions(): string {
  if (process.arch !== 'x64') return process.arch;
  const flags = new Set(/^flags\s*:(.*)$/m.exec(cpuInfo())?.[1]?.trim().split(' '));
  if (flags.has('amx_tile')) return 'amx';
  if (flags.has('avx512f')) return flags.has('avx512_vnni') ? 'avx512vnni' : 'avx512';
  return flags.has('avx2') ? 'avx2' : 'x64';
}

function cpuInfo(): string {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    return '';
  }
}

function slug(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}
