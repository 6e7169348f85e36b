import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { detectDevice, deviceReport, planTraining } from '../../lib/ml/index.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'saip-device-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs with one variable of the environment put in front of its value, as children inherit it. */
async function withPath<T>(name: 'PATH' | 'LD_LIBRARY_PATH', work: () => Promise<T>): Promise<T> {
  const before = process.env[name];
  process.env[name] = before === undefined ? folder : `${folder}${delimiter}${before}`;
  try {
    return await work();
  } finally {
    if (before === undefined) delete process.env[name];
    else process.env[name] = before;
  }
}

describe('deviceReport', () => {
  it('tells what a training would run on', async () => {
    const report = await deviceReport();
    expect(report).toMatchObject({ ...detectDevice(), ...layout(), backend: 'tensorflow' });
    expect(report.tfVersion).toMatch(/^\d+\.\d+\.\d+/);
  });

  it('does not fall back to the processor where the driver shows a GPU', async () => {
    writeFileSync(join(folder, 'nvidia-smi'), '#!/bin/sh\necho Some GPU\n', { mode: 0o755 });
    if (detectDevice().device === 'cuda') return;
    await expect(withPath('PATH', () => deviceReport())).rejects.toMatchObject({ code: 'GPU_NOT_VISIBLE' });
  });

  it('says so when the native library cannot be loaded', async () => {
    writeFileSync(join(folder, 'libtensorflow_framework.so.2'), 'not a library');
    await expect(withPath('LD_LIBRARY_PATH', () => deviceReport())).rejects.toMatchObject({
      code: 'NATIVE_ADDON_MISSING',
    });
  });
});

describe('planTraining', () => {
  const cpu = { device: 'cpu', name: 'processor', deviceClass: 'cpu-avx2' } as const;
  const cuda = { device: 'cuda', name: 'GPU', deviceClass: 'cuda-gpu' } as const;

  it('leaves a GPU to one process', () => {
    expect(planTraining(cuda)).toEqual({ replicas: 1, threads: 0, split: 1 });
  });

  it('takes at most two processes of one thread on processors, unless it is told', () => {
    const { replicas, threads } = planTraining(cpu);
    expect(replicas).toBeLessThanOrEqual(2);
    expect(threads).toBe(1);
    expect(planTraining(cpu, { replicas: 3, threads: 2 })).toEqual({ replicas: 3, threads: 2, split: 1 });
  });
});

function layout(): { threads: number; replicas: number } {
  const { threads, replicas } = planTraining(detectDevice());
  return { threads, replicas };
}
