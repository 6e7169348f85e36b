import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { WorkflowList } from '../../contracts/api.ts';
import type { WorkflowDetail } from '../../contracts/api.ts';
import { TRAIN_STAGES, TrainResult } from '../../contracts/train-register-deploy.ts';
import { familyOf, identify, signal } from '../../infra/local/processes.ts';
import { ChaosStack } from './support/chaos-stack.ts';
import type { Training } from './support/chaos-stack.ts';
import { artifactOfSize, fillDisk, flipBit, newestCheckpoint } from './support/damage.ts';
import { expectNothingLeft, expectOneWholeRun } from './support/invariants.ts';
import type { Undisturbed } from './support/invariants.ts';
import { Records } from './support/records.ts';
import { children } from './support/strike.ts';
import { lossPoints, Tracked } from './support/tracked.ts';
import { startTwin } from './support/twin.ts';

const MINUTES = 60_000;
/** Bytes of the images of MNIST's test set. */
const TEST_IMAGES = 10_000 * 28 * 28;
const RUN = Date.now().toString(36);

let stack: ChaosStack;
let undisturbed: Undisturbed;
let trainings = 0;

/** The same network each time, in another training to everything that might remember one. */
function training(registerAs: string, changes: Partial<Training> = {}): Training {
  trainings += 1;
  return {
    model: 'mnist-softmax',
    registerAs: `${registerAs}-${RUN}`,
    training: { epochs: 4, checkpointSteps: 20 + trainings },
    gates: { minAccuracy: 0.8 },
    ...changes,
  };
}

function start(request: Training): Promise<string> {
  return stack.train(request, `${request.registerAs}`);
}

beforeAll(async () => {
  stack = await ChaosStack.start();
  const { result } = await stack.ended(await start(training('undisturbed')));
  const { weightsSha256 = '', mlflow } = TrainResult.parse(result);
  undisturbed = { weightsSha256, points: await lossPoints(stack, mlflow?.runId ?? '') };
}, 10 * MINUTES);
afterAll(() => stack.stop(), 3 * MINUTES);

async function versionsOf(model: string): Promise<unknown[]> {
  const records = await Records.open(stack);
  try {
    return await records.versions(model);
  } finally {
    await records.close();
  }
}

describe('a checkpoint that was changed', () => {
  it(
    'is passed over, and the weights are the same',
    async () => {
      const request = training('checkpoint');
      const id = await start(request);
      await stack.watch(id, ({ progress }) => (progress?.training?.checkpointStep ?? 0) > 100);
      stack.kill(await stack.pid('worker-gpu'));
      flipBit(stack, await newestCheckpoint(stack, id));
      await expectOneWholeRun(stack, await stack.ended(id), request.registerAs ?? '', undisturbed);
    },
    10 * MINUTES,
  );
});

describe('a machine that stands still until another has its work', () => {
  it(
    'wakes to an attempt that counts no more, and the weights are the same',
    async () => {
      const request = training('overlap');
      const id = await start(request);
      await stack.watch(id, ({ progress }) => (progress?.training?.checkpointStep ?? 0) > 0);
      const first = await stack.pid('worker-gpu');
      // The worker and its child, as when a virtual machine is suspended.
      const family = freeze(first);
      const twin = startTwin(first);
      try {
        await eventually(() => children(twin.pid ?? 0).length > 0);
        expect(children(first).length).toBeGreaterThan(0);
        for (const { pid } of family) signal(pid, 'SIGCONT');
        await eventually(() => children(first).length === 0);
        await stack.ended(id);
      } finally {
        for (const { pid } of family) signal(pid, 'SIGCONT');
        twin.kill('SIGTERM');
        if (twin.exitCode === null && twin.signalCode === null) await once(twin, 'exit');
      }
      await expectOneWholeRun(stack, await stack.ended(id), request.registerAs ?? '', undisturbed);
    },
    10 * MINUTES,
  );
});

/** Stops a process and all that it started. @returns them */
function freeze(pid: number): ReturnType<typeof familyOf> {
  const identity = identify(pid);
  const family = identity === undefined ? [] : familyOf(identity);
  for (const member of family) signal(member.pid, 'SIGSTOP');
  return family;
}

/** Looks until it is so. @throws Error after five minutes */
async function eventually(isSo: () => boolean): Promise<void> {
  const deadline = Date.now() + 5 * MINUTES;
  while (!isSo()) {
    if (Date.now() > deadline) throw new Error('It did not come to that.');
    await delay(50);
  }
}

describe('an artifact that was changed', () => {
  it(
    'fails the run that meets it, with nothing registered, and is mended by the next one',
    async () => {
      const request = training('data');
      const id = await start(request);
      await stack.reached(id, 'train');
      flipBit(stack, artifactOfSize(stack, TEST_IMAGES));
      expect(await stack.ended(id)).toMatchObject({ status: 'failed', failure: { code: 'ARTIFACT_DIGEST_MISMATCH' } });
      expect(await versionsOf(request.registerAs ?? '')).toEqual([]);
      const again = training('data-again');
      await expectOneWholeRun(stack, await stack.ended(await start(again)), again.registerAs ?? '', undisturbed);
    },
    15 * MINUTES,
  );

  it(
    'is not signed where a person agreed to what it was before',
    async () => {
      const request = training('graph', { approval: { required: true } });
      const id = await start(request);
      const { progress } = await stack.watch(id, (detail) => detail.progress?.approval !== undefined);
      const [run] = await runsOf(id, request);
      flipBit(stack, run?.tags['saip.onnx.sha256'] ?? '');
      const subjectDigest = progress?.approval?.subjectDigest ?? '';
      await stack.full.approve(id, { decision: 'approve', subjectDigest }, 'approver');
      expect(await stack.ended(id)).toMatchObject({ status: 'failed', failure: { code: 'ARTIFACT_DIGEST_MISMATCH' } });
      expect(await versionsOf(request.registerAs ?? '')).toEqual([]);
      expect((await runsOf(id, request)).map(({ status }) => status)).toEqual(['FAILED']);
    },
    10 * MINUTES,
  );
});

/** Runs of a workflow in MLflow. */
async function runsOf(id: string, { registerAs }: Training): ReturnType<Tracked['runs']> {
  const tracked = new Tracked(stack);
  return tracked.runs(await tracked.experiment(`mnist/${registerAs}`), id);
}

describe('a full disk', () => {
  it(
    'is waited for, leaves nothing half-written, and stops nothing else',
    async () => {
      const disk = fillDisk(stack, 30);
      try {
        const request = training('disk');
        const id = await start(request);
        const full = (detail: WorkflowDetail): boolean =>
          detail.progress?.activities.some(({ lastFailure }) => lastFailure?.includes(disk.says)) ?? false;
        await stack.watch(id, full);
        await stack.watch(id, (detail) => full(detail) && readdirSync(join(stack.artifacts, 'tmp')).length === 0);
        await stack.full.api.get('/v1/workflows', WorkflowList, { role: 'viewer' });
        disk.makeRoom();
        await expectOneWholeRun(stack, await stack.ended(id), request.registerAs ?? '', undisturbed);
      } finally {
        disk.remove();
      }
    },
    15 * MINUTES,
  );
});

describe('MLflow that hangs for a minute', () => {
  it(
    'is waited for, and gets one run and one version',
    async () => {
      const request = training('mlflow');
      const id = await start(request);
      await stack.reached(id, 'exportOnnx');
      const family = freeze(await stack.pid('mlflow'));
      await delay(MINUTES);
      expect((await stack.glance(id))?.status).toBe('running');
      for (const { pid } of family) signal(pid, 'SIGCONT');
      await expectOneWholeRun(stack, await stack.ended(id), request.registerAs ?? '', undisturbed);
    },
    15 * MINUTES,
  );
});

describe('clients that never read', () => {
  const sockets: Socket[] = [];
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
  });

  /** Asks for the events of a run. @returns the status of the answer, after which nothing is read */
  async function deaf(id: string, token: string): Promise<string> {
    const { hostname, port } = new URL(stack.full.api.connection.apiUrl);
    const socket = connect(Number(port), hostname);
    sockets.push(socket);
    socket.write(
      `GET /v1/workflows/${id}/events HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAuthorization: Bearer ${token}\r\n\r\n`,
    );
    const first = await new Promise<Buffer>((resolve, reject) => {
      socket.once('data', resolve);
      socket.once('error', reject);
    });
    socket.pause();
    return /^HTTP\/1\.1 (\d+)/.exec(first.toString('latin1'))?.[1] ?? '';
  }

  it(
    'cost little memory and no others their turn',
    async () => {
      const id = await start(training('deaf', { training: { epochs: 40, checkpointSteps: 100 } }));
      await stack.reached(id, 'train');
      const memory = (): number => stack.services().find(({ name }) => name === 'api')?.memoryBytes ?? 0;
      const before = memory();
      const token = await stack.full.api.connection.tokens.token('viewer');
      const answers: string[] = [];
      for (let count = 0; count < 110; count += 1) answers.push(await deaf(id, token));
      expect(answers.filter((status) => status === '200')).toHaveLength(100);
      expect(answers.slice(100).every((status) => status === '429')).toBe(true);
      await delay(20_000);
      expect(memory() - before).toBeLessThan(100 * 2 ** 20);
      await stack.full.api.get('/v1/workflows', WorkflowList, { role: 'viewer' });
      await stack.cancel(id);
      expect((await stack.ended(id)).result).toMatchObject({ outcome: 'cancelled' });
    },
    10 * MINUTES,
  );
});

describe('cancelling', () => {
  const stages = TRAIN_STAGES.filter((stage) => stage !== 'approval');

  it.each(stages)(
    'in %s leaves no alias, no version in circulation, no run open and no process',
    async (stage) => {
      const request = training(`cancel-${stage.toLowerCase()}`);
      const id = await start(request);
      await stack.reached(id, stage);
      await stack.full.cancel(id, 'chaos').catch(() => undefined);
      const { result } = await stack.ended(id);
      const { outcome } = TrainResult.parse(result);
      const runs = await runsOf(id, request);
      const versions = (await versionsOf(request.registerAs ?? '')) as { withdrawn: boolean }[];
      const aliases = await new Tracked(stack).aliases(request.registerAs ?? '');
      // The last stages are short: where the run was faster than the request, it must be whole.
      if (outcome === 'completed') {
        expect(aliases).toEqual({ champion: '1' });
      } else {
        expect(outcome).toBe('cancelled');
        expect(aliases).toEqual({});
        expect(versions.every(({ withdrawn }) => withdrawn)).toBe(true);
        expect(runs.every(({ status }) => status === 'KILLED')).toBe(true);
      }
      await expectNothingLeft(stack);
    },
    10 * MINUTES,
  );
});
