import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { SaipError } from '../../contracts/errors.ts';
import type { RolloutInput } from '../../contracts/registry.ts';
import { blocking, failureType, progressOf, startRollout, startTraining, untilProgress } from './support/driver.ts';
import { startWorkflowTest } from './support/environment.ts';
import type { WorkflowTest } from './support/environment.ts';
import { trainInput, World } from './support/world.ts';
import type { AllActivities } from './support/world.ts';

let test: WorkflowTest;
let world: World;
beforeAll(async () => {
  test = await startWorkflowTest();
});
afterAll(() => test.close());
beforeEach(() => {
  world = new World();
});

const promote: RolloutInput = { kind: 'promote', model: 'tiny', version: '2', requestedBy: 'trainer-1' };
const rollback: RolloutInput = { kind: 'rollback', model: 'tiny', reason: 'complaints', requestedBy: 'operator-1' };

function start(input: RolloutInput, changes: Partial<AllActivities> = {}) {
  test.use(world.activities(changes));
  return startRollout(test.client, input);
}

async function roll(input: RolloutInput, changes: Partial<AllActivities> = {}) {
  const handle = await start(input, changes);
  return { result: await handle.result(), progress: await progressOf(handle) };
}

/** Brings versions to champion one after the other. */
async function champions(...versions: string[]): Promise<void> {
  const activities = world.activities();
  const run = { key: 'before', runId: 'before', requestedBy: 'trainer-1' };
  for (const version of versions)
    await activities.setAlias({ run, model: 'tiny', alias: 'champion', version, reason: '' });
}

describe('a promotion', () => {
  it('goes by challenger to champion and remembers the former champion', async () => {
    await champions('1');
    const { result, progress } = await roll(promote);
    expect(result).toEqual({
      outcome: 'completed',
      reasons: [],
      model: 'tiny',
      champion: '2',
      formerChampion: '1',
    });
    expect(world.aliasLog).toEqual(['champion=1', 'challenger=2', 'champion=2', 'challenger=']);
    expect(progress.stages.map(({ name, status }) => [name, status])).toEqual([
      ['challenger', 'done'],
      ['verifyChallenger', 'done'],
      ['champion', 'done'],
      ['verifyChampion', 'done'],
    ]);
    expect(world.audited).toEqual(['trainer-1 model:rollout started', 'trainer-1 model:rollout completed']);
  });

  it('of the present champion is rejected', async () => {
    await champions('2');
    const { result } = await roll(promote);
    expect(result).toMatchObject({ outcome: 'rejected', champion: '2' });
    expect(world.aliasLog).toEqual(['champion=2']);
  });

  it.each(['challenger', 'champion'])('that the API refuses as %s leaves the aliases as they were', async (refused) => {
    await champions('1');
    world.aliases.set('challenger', '0');
    const awaitServing: AllActivities['awaitServing'] = async ({ alias }) => {
      if (alias === refused) throw new SaipError('ROLLOUT_NOT_SERVED', 'api-1: SIGNATURE_INVALID');
      return { replicas: 1 };
    };
    expect(await failureType(roll(promote, { awaitServing }))).toBe('ROLLOUT_NOT_SERVED');
    expect(Object.fromEntries(world.aliases)).toEqual({ champion: '1', challenger: '0' });
    expect(world.audited.at(-1)).toBe('trainer-1 model:rollout failed');
  });

  it('that fails for the first champion takes the alias away', async () => {
    const awaitServing = () => Promise.reject(new SaipError('ROLLOUT_NOT_SERVED', 'api-1: MODEL_LOAD_FAILED'));
    await failureType(roll(promote, { awaitServing }));
    expect(world.aliases.size).toBe(0);
  });

  it('does not depend on MLflow', async () => {
    const mirrorAliases = () => Promise.reject(new SaipError('MLFLOW_UNAVAILABLE', 'MLflow is away.'));
    const { result } = await roll(promote, { mirrorAliases });
    expect(result).toMatchObject({ outcome: 'completed', champion: '2' });
    expect(result.reasons).toEqual([expect.stringContaining('MLFLOW_UNAVAILABLE')]);
  });

  it('can be cancelled, and restores', async () => {
    await champions('1');
    const block = blocking();
    const handle = await start(promote, { awaitServing: block.activity });
    await block.reached;
    await handle.executeUpdate('cancel', { args: [{ reason: 'wrong version' }] });
    expect(await handle.result()).toMatchObject({ outcome: 'cancelled', champion: '1', reasons: ['wrong version'] });
    expect(Object.fromEntries(world.aliases)).toEqual({ champion: '1' });
  });
});

describe('a rollback', () => {
  it('brings the former champion straight back', async () => {
    await champions('1', '2');
    const { result } = await roll(rollback);
    expect(result).toMatchObject({ outcome: 'completed', champion: '1', formerChampion: '2' });
    expect(world.aliasLog).toEqual(['champion=1', 'champion=2', 'champion=1']);
    expect(world.counts()).toMatchObject({ awaitServing: 1 });
  });

  it('to a named version does not look for another', async () => {
    await champions('1', '2', '3');
    const { result } = await roll({ ...rollback, toVersion: '1' });
    expect(result).toMatchObject({ champion: '1', formerChampion: '3' });
    expect(world.counts()).not.toHaveProperty('previousChampion');
  });

  it('without a former champion is rejected', async () => {
    await champions('1');
    const { result } = await roll(rollback);
    expect(result).toMatchObject({ outcome: 'rejected', champion: '1' });
    expect(world.aliasLog).toEqual(['champion=1']);
  });
});

describe('one rollout at a time per model', () => {
  it('refuses to start a second one', async () => {
    const block = blocking();
    const handle = await start(promote, { awaitServing: block.activity });
    await block.reached;
    await expect(startRollout(test.client, rollback)).rejects.toThrow('already started');
    await handle.executeUpdate('cancel', { args: [{ reason: 'end of the test' }] });
    await handle.result();
  });

  it('lets a training wait for its turn', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const { promise: held, resolve: hold } = Promise.withResolvers<void>();
    const awaitServing: AllActivities['awaitServing'] = async () => {
      hold();
      await released;
      return { replicas: 1 };
    };
    const first = await start(promote, { awaitServing });
    await held;
    const training = await startTraining(test.client, trainInput());
    const { stages } = await untilProgress(training, (progress) =>
      progress.stages.some(({ name, status }) => name === 'rollout' && status === 'waiting'),
    );
    expect(stages.at(-1)?.detail).toBe('another rollout of tiny runs');
    release();
    await first.result();
    expect(await training.result()).toMatchObject({ outcome: 'completed', registered: { version: '1' } });
    expect(world.aliases.get('champion')).toBe('1');
  });
});
