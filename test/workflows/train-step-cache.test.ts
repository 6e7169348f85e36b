import { beforeEach, describe, expect, it } from '@jest/globals';
import { CACHED_STAGES } from '../../contracts/step-cache.ts';
import type { CachedStage } from '../../contracts/step-cache.ts';
import { fail, useTrainings } from './support/training.ts';
import { ref, trainInput, World } from './support/world.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
const { train } = useTrainings(() => world);

describe('a training whose stages an earlier run has done', () => {
  const from = { workflowId: 'train-before', runId: '01a217c9-bdc0-718b' };
  const GPU = ['trainModel', 'evaluateModel'];

  /** Keeps what these stages came to in a run of this very world. */
  async function kept(...stages: CachedStage[]): Promise<void> {
    const activities = new Map<string, unknown>(Object.entries(world.activities()));
    const names = {
      prepareData: 'prepareData',
      train: 'trainModel',
      evaluate: 'evaluateModel',
      exportOnnx: 'exportOnnx',
    } as const;
    for (const stage of stages) {
      const output = await (activities.get(names[stage]) as () => Promise<unknown>)();
      world.kept.set(stage, { ...from, output });
    }
    world.calls.length = 0;
  }

  it('takes their results, without the device, and says from which run', async () => {
    await kept(...CACHED_STAGES);
    const { result, progress } = await train();
    expect(result).toMatchObject({ outcome: 'completed', weightsSha256: ref('weights').sha256, alias: 'champion' });
    expect(result.reused).toEqual(Object.fromEntries(CACHED_STAGES.map((stage) => [stage, from])));
    for (const activity of [...GPU, 'prepareData', 'exportOnnx']) expect(world.counts()).not.toHaveProperty(activity);
    expect(world.counts()).toMatchObject({ verifyDataCard: 1, logRun: 1, decideGates: 1, signModel: 1 });
    expect(progress.stages.filter(({ status }) => status === 'reused').map(({ name }) => name)).toEqual(CACHED_STAGES);
    expect(progress.stages[2]?.detail).toMatch(/^reused from train-before \(run 01a217c9\) · 422 steps/);
    expect(world.ran['logRun']).toMatchObject({ reused: { train: from } });
    expect(world.lineage).toMatchObject([{ outcome: 'registered', reused: { train: from } }]);
  });

  it('asks with the digests of the data as they are now', async () => {
    await train();
    expect(world.asked.map(({ stage, tenant }) => [stage, tenant])).toEqual(
      CACHED_STAGES.map((name) => [name, 'default']),
    );
    const digests = { cardSha256: ref('card').sha256, dataSha256: ref('data').sha256 };
    expect(world.asked[0]?.args).toMatchObject({ dataset: 'mnist', seed: 42, ...digests });
  });

  it('runs what is not kept, and lets its result be kept', async () => {
    await kept('prepareData');
    const { result } = await train();
    expect(Object.keys(result.reused ?? {})).toEqual(['prepareData']);
    for (const activity of [...GPU, 'exportOnnx']) {
      expect(world.ran[activity]).toMatchObject({ keep: { tenant: 'default', refresh: false } });
    }
  });

  it('with --from runs that stage and all later ones anew, to replace what is kept', async () => {
    await kept(...CACHED_STAGES);
    const { result } = await train(trainInput({ cache: { mode: 'use', from: 'train' } }));
    expect(Object.keys(result.reused ?? {})).toEqual(['prepareData']);
    expect(world.asked.map(({ stage }) => stage)).toEqual(['prepareData']);
    expect(world.ran['trainModel']).toMatchObject({ keep: { refresh: true } });
    expect(world.counts()).toMatchObject({ trainModel: 1, evaluateModel: 1, exportOnnx: 1 });
  });

  it('with --no-cache asks for nothing and keeps nothing', async () => {
    await kept(...CACHED_STAGES);
    const { result } = await train(trainInput({ cache: { mode: 'off' } }));
    expect(result.reused).toBeUndefined();
    expect(world.counts()).not.toHaveProperty('findStep');
    expect(world.ran['trainModel']).not.toHaveProperty('keep');
  });

  it('says why a kept result was dropped, and runs the stage', async () => {
    const dropped = ['the result of train-before was dropped: cas://sha256/… is not in the store.'];
    const { progress, result } = await train(trainInput(), { findStep: async () => ({ dropped }) });
    expect(result.outcome).toBe('completed');
    expect(progress.stages[2]).toMatchObject({ status: 'done', detail: expect.stringContaining(dropped[0] ?? '') });
  });

  it('goes on where kept results cannot be looked up', async () => {
    const { progress, result } = await train(trainInput(), { findStep: fail('DATABASE_REJECTED') });
    expect(result.outcome).toBe('completed');
    expect(world.counts()).toMatchObject({ trainModel: 1 });
    expect(progress.stages[2]?.detail).toContain('DATABASE_REJECTED');
  });

  it('registers nothing when it made exactly the champion', async () => {
    world.championDigest = ref('model').sha256;
    world.aliases.set('champion', '3');
    const { result, progress } = await train();
    expect(result).toMatchObject({
      outcome: 'completed',
      reasons: [],
      unchanged: true,
      registered: { version: '3', digest: ref('model').sha256 },
      alias: 'champion',
    });
    expect(world.counts()).toMatchObject({ logRun: 1, decideGates: 1, signModel: 1, finishRun: 1 });
    for (const activity of ['registerVersion', 'mirrorVersion', 'withdrawVersion', 'setAlias']) {
      expect(world.counts()).not.toHaveProperty(activity);
    }
    expect(world.lineage).toMatchObject([{ outcome: 'unchanged' }]);
    expect(progress.stages.slice(-2)).toMatchObject([
      { name: 'registerVersion', status: 'reused' },
      { name: 'rollout', status: 'skipped', detail: 'version 3 is champion already' },
    ]);
  });
});
