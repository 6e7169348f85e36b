import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { removeStack } from '../../infra/local/index.ts';
import type { WorkflowDetail } from '../../contracts/api.ts';
import type { TrainResult } from '../../contracts/train-register-deploy.ts';
import { startTestStack } from '../support/stack-process.ts';
import { saip, startSaip } from './support/process.ts';
import type { Finished } from './support/process.ts';
import { scoredFileTests } from './support/scored-files.ts';

/** The smallest training that takes every stage: one epoch, with thresholds that it surely reaches. */
const SMALL = ['mnist-softmax', '--no-cache', '--epochs', '1', '--set', 'gates={"minAccuracy":0.5,"champion":"off"}'];
const MINUTES = 60_000;

let home: string;
beforeAll(async () => {
  home = await startTestStack([]);
}, 6 * MINUTES);
afterAll(async () => {
  await removeStack(home);
  await rm(home, { recursive: true, force: true });
}, 2 * MINUTES);

function run(...args: string[]): Promise<Finished> {
  return saip(args, { env: { SAIP_HOME: home } });
}

async function json<T>(...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await run(...args, '--json');
  if (code !== 0) throw new Error(`saip ${args.join(' ')} ended with ${String(code)}: ${stderr}`);
  return JSON.parse(stdout) as T;
}

const show = (id: string): Promise<WorkflowDetail> => json<WorkflowDetail>('workflows', 'show', id);

async function champion(): Promise<string | undefined> {
  const { aliases } = await json<{ aliases: Record<string, string> }>('models', 'show', 'mnist-softmax');
  return aliases.champion;
}

async function waitFor(id: string, condition: (detail: WorkflowDetail) => boolean): Promise<WorkflowDetail> {
  for (;;) {
    const detail = await show(id);
    if (condition(detail)) return detail;
    if (detail.status !== 'running') throw new Error(`${id} is ${detail.status}: ${JSON.stringify(detail.failure)}`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

describe('the main job by command line', () => {
  it(
    'trains, registers and deploys, with JSON alone on stdout',
    async () => {
      const { code, stdout, stderr } = await run('train', ...SMALL, '--follow', '--json');
      expect(stderr).toContain('✓ rollout done');
      expect(code).toBe(0);
      const detail = JSON.parse(stdout) as WorkflowDetail;
      const result = detail.result as TrainResult;
      expect(result).toMatchObject({
        outcome: 'completed',
        alias: 'champion',
        registered: { model: 'mnist-softmax', version: '1' },
      });
    },
    3 * MINUTES,
  );

  it('predicts test images, and what a request in a file asks', async () => {
    const indices = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];
    const answer = await json<{ version: string; predictions: { predicted: string; truth: string }[] }>(
      ...['predict', 'mnist-softmax', '--mnist', ...indices],
    );
    expect(answer.predictions.map(({ truth }) => truth).join('')).toBe('7210414959');
    const right = answer.predictions.filter(({ predicted, truth }) => predicted === truth);
    expect(right.length).toBeGreaterThanOrEqual(8);

    const request = { inputs: [{ name: 'image', shape: [1, 28, 28, 1], datatype: 'FP32', data: Array(784).fill(0) }] };
    const args = ['predict', 'mnist-softmax@champion', '--input', '-', '--json'];
    const asked = await saip(args, { env: { SAIP_HOME: home }, stdin: JSON.stringify(request) });
    expect(JSON.parse(asked.stdout)).toMatchObject({
      model_version: '1',
      outputs: [{ name: 'probabilities', shape: [1, 10] }, { name: 'label' }],
    });
    expect(await run('predict', 'mnist-softmax', '--mnist', '10000')).toMatchObject({ code: 2 });
    expect(await run('predict', 'no-such-model', '--mnist', '0')).toMatchObject({ code: 4 });
  });

  it('tells what was live when', async () => {
    const now = await json<{ live: { alias: string }[] }>('models', 'history', 'mnist-softmax', '--at', '2100-01-01');
    expect(now.live.map(({ alias }) => alias)).toEqual(['champion']);
    const before = await json<{ live: unknown[] }>('models', 'history', 'mnist-softmax', '--at', '2000-01-01');
    expect(before.live).toEqual([]);
  });

  it('lets nobody in with the wrong role', async () => {
    const { stdout: token } = await run('token', '--role', 'viewer');
    const env = { SAIP_HOME: home, SAIP_TOKEN: token.trim() };
    const refused = await saip(['train', ...SMALL], { env });
    expect(refused).toMatchObject({ code: 3, stdout: '' });
    expect(await saip(['models', 'list'], { env: { ...env, SAIP_TOKEN: 'forged' } })).toMatchObject({ code: 3 });
  });

  it('signs in, and out', async () => {
    const session = await json<{ roles: string[] }>('login', '--role', 'predictor');
    expect(session.roles).toEqual(['predictor']);
    expect(await run('workflows', 'list')).toMatchObject({ code: 3 });
    await json('logout');
    expect(await run('workflows', 'list')).toMatchObject({ code: 0 });
  });

  it('starts nothing twice under one idempotency key', async () => {
    const args = ['train', ...SMALL, '--no-rollout', '--idempotency-key', 'once'];
    const first = await json<{ workflowId: string }>(...args);
    expect(await json<{ workflowId: string }>(...args)).toEqual(first);
    expect(await run(...args, '--seed', '7')).toMatchObject({ code: 2 });
    await json('workflows', 'cancel', first.workflowId, '--reason', 'it was a test');
    const followed = await run('workflows', 'follow', first.workflowId);
    expect(followed.stdout).toContain('✗ cancelled');
    expect(followed.stdout).toContain('it was a test');
    expect(followed.code).toBe(1);
  });

  it(
    'follows on when the API dies, and ends with 5 when a gate refuses',
    async () => {
      const args = ['train', ...SMALL, '--set', 'gates.minAccuracy=0.9999', '--follow', '--json'];
      const following = startSaip(args, { env: { SAIP_HOME: home } });
      await following.said('verifyDataCard');
      const { services } = await json<{ services: { name: string; pid: number }[] }>('status');
      process.kill(services.find(({ name }) => name === 'api')?.pid ?? 0, 'SIGKILL');
      await following.said('connection lost');
      const { code, stdout, stderr } = await following.finished;
      expect(stderr).toContain('connection restored');
      expect(code).toBe(5);
      const { result } = JSON.parse(stdout) as WorkflowDetail;
      expect(result?.reasons.join()).toContain('minAccuracy');
    },
    3 * MINUTES,
  );

  it(
    'detaches on Ctrl-C while a person is asked, who is another one',
    async () => {
      const { workflowId } = await json<{ workflowId: string }>('train', ...SMALL, '--seed', '7', '--approval');
      const asked = await waitFor(workflowId, ({ progress }) => progress?.approval !== undefined);
      const digest = asked.progress?.approval?.subjectDigest ?? '';

      const following = startSaip(['workflows', 'follow', workflowId, '--json'], { env: { SAIP_HOME: home } });
      await following.said('waits for approval');
      following.child.kill('SIGINT');
      const { code, stderr } = await following.finished;
      expect(code).toBe(130);
      expect(stderr).toContain(`saip workflows follow ${workflowId}`);
      expect(await show(workflowId)).toMatchObject({ status: 'running' });

      const { stdout: token } = await run('token', '--role', 'trainer');
      const asTrainer = { env: { SAIP_HOME: home, SAIP_TOKEN: token.trim() } };
      expect(await saip(['workflows', 'approve', workflowId], asTrainer)).toMatchObject({ code: 3 });
      const other = await run('workflows', 'approve', workflowId, '--digest', 'f'.repeat(64));
      expect(other).toMatchObject({ code: 1, stderr: expect.stringContaining('error: ') });
      await json('workflows', 'approve', workflowId, '--digest', digest, '--comment', 'looks right');
      expect(await run('workflows', 'follow', workflowId)).toMatchObject({ code: 0 });
      expect(await champion()).toBe('2');
    },
    3 * MINUTES,
  );

  it('brings the former champion back, and the other one again', async () => {
    expect(await run('rollback', 'mnist-softmax', '--reason', 'a test', '--follow')).toMatchObject({ code: 0 });
    expect(await champion()).toBe('1');
    expect(await run('rollout', 'mnist-softmax', '2', '--follow')).toMatchObject({ code: 0 });
    expect(await champion()).toBe('2');
  });

  it('keeps schedules', async () => {
    const created = await json<{ paused: boolean; cron: string }>(
      ...['schedule', 'create', 'nightly', 'mnist-softmax', '--cron', '30 2 * * *', '--paused'],
    );
    expect(created).toMatchObject({ paused: true, cron: '30 2 * * *', model: 'mnist-softmax' });
    expect(await json('schedule', 'unpause', 'nightly')).toEqual({ id: 'nightly', paused: false });
    expect(await json('schedule', 'pause', 'nightly', '--note', 'holidays')).toEqual({ id: 'nightly', paused: true });
    expect((await run('schedule', 'list')).stdout).toContain('nightly');
    await json('schedule', 'trigger', 'nightly');
    await json('schedule', 'delete', 'nightly');
    expect(await run('schedule', 'show', 'nightly')).toMatchObject({ code: 4 });
  });
});

describe('a release by command line', () => {
  let folder: string;
  let keys: string;
  beforeAll(async () => {
    folder = join(home, 'got');
    keys = join(home, 'keys.pem');
    await writeFile(keys, (await run('release', 'keys')).stdout);
  });

  /** In a process that knows of no stack. */
  const verify = (): Promise<Finished> => saip(['release', 'verify', folder, '--keys', keys, '--json']);

  it(
    'outlives kill -9 of the worker that signs, and waits for another person',
    async () => {
      const { workflowId } = await json<{ workflowId: string }>(
        'release',
        'start',
        'mnist-softmax',
        '--notes',
        'first',
      );
      expect(workflowId).toBe('release-mnist-softmax-2');
      await waitFor(workflowId, ({ progress }) => progress?.approval !== undefined);
      expect(await run('release', 'start', 'mnist-softmax')).toMatchObject({ code: 1 });
      const { services } = await json<{ services: { name: string; pid: number }[] }>('status');
      await json('workflows', 'approve', workflowId);
      process.kill(services.find(({ name }) => name === 'worker-release')?.pid ?? 0, 'SIGKILL');
      const { code, stdout } = await run('workflows', 'follow', workflowId);
      expect(stdout).toContain('✓ verify done');
      expect(code).toBe(0);
      const { releases } = await json<{ releases: object[] }>('release', 'list', '--model', 'mnist-softmax');
      expect(releases).toMatchObject([{ version: '2', requestedBy: 'local-releaser', approvedBy: 'local-approver' }]);
    },
    3 * MINUTES,
  );

  it('is got as a folder that verifies by itself, until one byte changes', async () => {
    await json('release', 'download', 'mnist-softmax', '2', '--to', folder);
    const verified = await verify();
    expect(JSON.parse(verified.stdout)).toMatchObject({ model: 'mnist-softmax', version: '2', files: 13 });
    const { manifest } = await json<{ manifest: { notes: string } }>('release', 'show', 'mnist-softmax', '2');
    expect(manifest.notes).toBe('first');

    const graph = join(folder, 'model/model.onnx');
    const bytes = await readFile(graph);
    bytes[100] = (bytes[100] ?? 0) ^ 1;
    await chmod(graph, 0o600);
    await writeFile(graph, bytes);
    const { code, stderr } = await verify();
    expect({ code, error: JSON.parse(stderr) }).toMatchObject({
      code: 1,
      error: { error: { code: 'RELEASE_DIGEST_MISMATCH' } },
    });
  });

  it('is refused a second time, and where policy asks for an attack that nobody made', async () => {
    const again = await run('release', 'start', 'mnist-softmax', '2', '--follow');
    expect(again.stdout).toContain('RELEASE_EXISTS');
    expect(again.code).toBe(1);
    const { code, stdout } = await run(
      'release',
      'start',
      'mnist-softmax',
      '1',
      '--risk',
      'high',
      '--follow',
      '--json',
    );
    expect(code).toBe(5);
    expect((JSON.parse(stdout) as WorkflowDetail).result).toMatchObject({
      outcome: 'rejected',
      code: 'RELEASE_EVIDENCE_MISSING',
    });
    expect(await run('release', 'show', 'mnist-softmax', '1')).toMatchObject({ code: 4 });
  });
});

describe('files of records by command line', () => {
  scoredFileTests(() => home);
});
