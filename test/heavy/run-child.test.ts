import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { HeavyError, runChild } from '../../lib/heavy/index.ts';

const entry = new URL('./children/child.ts', import.meta.url);

describe('runChild', () => {
  it('returns structured-cloned results', async () => {
    const value = { tensor: Float32Array.of(1, 2.5), ref: { bytes: 3 } };
    await expect(runChild({ entry, input: { do: 'echo', value } })).resolves.toEqual(value);
  });

  it('delivers reports in order and resolves after the last asynchronous one', async () => {
    const seen: number[] = [];
    const onReport = async (index: number): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, index === 0 ? 20 : 0));
      seen.push(index);
    };
    await expect(runChild<number, number>({ entry, input: { do: 'report', count: 5 }, onReport })).resolves.toBe(5);
    expect(seen).toEqual([0, 1, 2, 3, 4]);
  });

  it('answers a child that asks', async () => {
    const onReport = async (index: number): Promise<number> => index * 10;
    await expect(runChild({ entry, input: { do: 'ask', count: 3 }, onReport })).resolves.toEqual([0, 10, 20]);
  });

  it('passes on the code, field and message the child threw', async () => {
    await expect(runChild({ entry, input: { do: 'throw' } })).rejects.toMatchObject({
      name: 'HeavyError',
      code: 'MODEL_CONFIG_INVALID',
      field: 'layers[3]',
      message: 'no such layer',
    });
  });

  it('rejects with what onReport rejected with', async () => {
    const refusal = new Error('fenced');
    const run = runChild({ entry, input: { do: 'hang' }, onReport: () => Promise.reject(refusal) });
    await expect(run).rejects.toBe(refusal);
  });

  it('rejects with the reason of an abort, and the process group is gone by then', async () => {
    const controller = new AbortController();
    const pids: number[] = [];
    const run = runChild<never, number>({
      entry,
      input: { do: 'grandchild' },
      signal: controller.signal,
      onStart: (pid) => pids.push(pid),
      onReport: (pid) => {
        pids.push(pid);
        controller.abort(new Error('cancelled by the user'));
      },
    });
    await expect(run).rejects.toThrow('cancelled by the user');
    expect(pids).toHaveLength(2);
    for (const pid of pids) await expectGone(pid);
  });

  it('kills a child that falls silent', async () => {
    await expect(runChild({ entry, input: { do: 'hang' }, silenceMs: 1500 })).rejects.toMatchObject({
      code: 'CHILD_SILENT',
    });
  });

  it('tells a kill from outside from a lack of memory', async () => {
    await expect(runChild({ entry, input: { do: 'die' } })).rejects.toMatchObject({ code: 'CHILD_CRASHED' });
    await expect(runChild({ entry, input: { do: 'bad-alloc' } })).rejects.toMatchObject({
      code: 'DEVICE_OUT_OF_MEMORY',
    });
  });

  it('holds the child to its memory limit', async () => {
    const run = runChild({ entry, input: { do: 'fill' }, memoryBytes: 512 * 2 ** 20 });
    await expect(run).rejects.toMatchObject({ code: 'DEVICE_OUT_OF_MEMORY' });
  });

  it('says so when the entry module cannot be loaded', async () => {
    const run = runChild({ entry: new URL('./children/absent.ts', import.meta.url), input: {} });
    await expect(run).rejects.toBeInstanceOf(HeavyError);
    await expect(run).rejects.toMatchObject({ code: 'CHILD_CRASHED' });
  });

  it('gives the child no login of the parent', async () => {
    process.env['SAIP_TOKEN'] = 'secret';
    try {
      const env = await runChild<Record<string, string>>({ entry, input: { do: 'environment' }, env: { EXTRA: '1' } });
      expect(env).toMatchObject({ EXTRA: '1', PATH: process.env['PATH'] });
      expect(env).not.toHaveProperty('SAIP_TOKEN');
    } finally {
      delete process.env['SAIP_TOKEN'];
    }
  });
});

describe('serveChild', () => {
  it('ends when its parent is killed', async () => {
    const parent = spawn(process.execPath, [new URL('./children/parent.ts', import.meta.url).pathname], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    parent.kill('SIGKILL');
    await expectGone(Number(line.toString()));
  });
});

/** Waits until no process has this id, or it is a zombie that only waits for its reaper. */
async function expectGone(pid: number): Promise<void> {
  const { readFile } = await import('node:fs/promises');
  for (let attempt = 0; attempt < 500; attempt += 1) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
    if (stat === undefined || / [ZX] /.test(stat)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`process ${pid} still runs`);
}
