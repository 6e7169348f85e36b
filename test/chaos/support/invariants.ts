import { expect } from '@jest/globals';
import type { WorkflowDetail } from '../../../contracts/api.ts';
import { TrainResult } from '../../../contracts/train-register-deploy.ts';
import type { ChaosStack } from './chaos-stack.ts';
import { damagedArtifacts, temporaryFiles } from './disk.ts';
import { orphans, workingChildren } from './orphans.ts';
import { Records } from './records.ts';
import { lossPoints, Tracked } from './tracked.ts';

/** What an undisturbed run of the same training left. */
export interface Undisturbed {
  readonly weightsSha256: string;
  /** Points of `train/loss` in MLflow. */
  readonly points: number;
}

/** Orphans end when their event loop turns, dead logins with their last connection. */
const SOON = { timeoutMs: 30_000, everyMs: 250 };

/** Everything that must hold once a run has ended as if nothing had happened. */
export async function expectOneWholeRun(
  stack: ChaosStack,
  { workflowId: id, result }: WorkflowDetail,
  registerAs: string,
  undisturbed: Undisturbed,
): Promise<void> {
  const ended = TrainResult.parse(result);
  expect(ended).toMatchObject({ outcome: 'completed', alias: 'champion', registered: { version: '1' } });
  expect(ended.weightsSha256).toBe(undisturbed.weightsSha256);
  // What was killed near the end may still be on its way back.
  await stack.healthy();
  await expectTracked(stack, ended, { id, registerAs, undisturbed });
  const records = await Records.open(stack);
  try {
    await expectRecorded(records, ended, { id, registerAs });
  } finally {
    await records.close();
  }
  await expectNothingLeft(stack);
}

interface Expected {
  readonly id: string;
  readonly registerAs: string;
  readonly undisturbed: Undisturbed;
}

async function expectTracked(stack: ChaosStack, { mlflow, registered }: TrainResult, run: Expected): Promise<void> {
  const tracked = new Tracked(stack);
  const runs = await tracked.runs(mlflow?.experimentId ?? '', run.id);
  expect(runs).toMatchObject([{ runId: mlflow?.runId, status: 'FINISHED' }]);
  expect(await lossPoints(stack, mlflow?.runId ?? '')).toBe(run.undisturbed.points);
  expect(await tracked.damagedFiles(runs[0]?.artifactUri ?? '')).toEqual([]);
  expect(await tracked.loggedModels(mlflow?.experimentId ?? '', run.id)).toHaveLength(1);
  const versions = await tracked.versions(run.registerAs);
  expect(versions.map(({ version, digest }) => [version, digest])).toEqual([['1', registered?.digest]]);
  expect(await tracked.aliases(run.registerAs)).toEqual({ champion: '1' });
}

async function expectRecorded(
  records: Records,
  { registered }: TrainResult,
  { id, registerAs }: Pick<Expected, 'id' | 'registerAs'>,
): Promise<void> {
  expect(await records.versions(registerAs)).toEqual([
    { version: 1, digest: registered?.digest, workflowId: id, withdrawn: false },
  ]);
  expect(await records.aliases(registerAs)).toEqual([
    ['challenger', 1],
    ['champion', 1],
    ['challenger', null],
  ]);
  expect(await records.acts(id, registerAs)).toEqual([
    'model:rollout completed',
    'model:rollout started',
    'workflow:train completed',
  ]);
  expect(await records.starts(registerAs)).toBeGreaterThanOrEqual(1);
}

/** Nothing of what was killed is left, and nothing half-written. */
export async function expectNothingLeft(stack: ChaosStack): Promise<void> {
  await stack.healthy();
  await eventually('processes that nobody looks after', () => orphans(stack));
  await eventually('children without work', () => workingChildren(stack));
  await eventually('temporary files', () => temporaryFiles(stack));
  expect(await damagedArtifacts(stack)).toEqual([]);
  const records = await Records.open(stack);
  try {
    await eventually('locks', () => records.locks());
    await eventually('borrowed logins', () => records.borrowedLogins());
    expect(await records.longLoans()).toEqual([]);
  } finally {
    await records.close();
  }
}

/** Waits until `find` finds nothing, and says what it found where it goes on finding. */
async function eventually(what: string, find: () => Promise<readonly unknown[]> | readonly unknown[]): Promise<void> {
  const deadline = Date.now() + SOON.timeoutMs;
  for (;;) {
    const found = await find();
    if (found.length === 0) return;
    if (Date.now() > deadline) throw new Error(`${what} are left: ${JSON.stringify(found)}`);
    await new Promise((resolve) => setTimeout(resolve, SOON.everyMs));
  }
}
