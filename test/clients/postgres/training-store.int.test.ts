import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TrainingStore } from '../../../lib/clients/index.ts';
import { createPrivateDatabase, type PrivateDatabase } from '../../support/private-database.ts';
import { reference } from './versions.ts';

const deviceClass = 'cpu';
let database: PrivateDatabase;
let store: TrainingStore;

beforeAll(async () => {
  database = await createPrivateDatabase();
  store = new TrainingStore(database.worker);
});
afterAll(() => database.drop());

describe('TrainingStore', () => {
  it('gives every attempt a greater token', async () => {
    const tokens = await Promise.all(Array.from({ length: 10 }, () => store.acquireFence('tokens')));
    expect(tokens.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('keeps the newest checkpoint of each device class', async () => {
    const token = await store.acquireFence('steps');
    expect(await store.latestCheckpoint('steps', deviceClass)).toBeUndefined();
    for (const [step, digit] of [
      [200, 'b'],
      [100, 'a'],
    ] as const) {
      await store.commitCheckpoint({ key: 'steps', token, deviceClass, step, ref: reference(digit) });
    }
    await store.commitCheckpoint({ key: 'steps', token, deviceClass: 'cuda', step: 900, ref: reference('c') });
    expect(await store.latestCheckpoint('steps', deviceClass)).toEqual({ step: 200, ref: reference('b') });
    expect(await store.latestCheckpoint('steps', deviceClass, 200)).toEqual({ step: 100, ref: reference('a') });
    expect(await store.latestCheckpoint('steps', deviceClass, 100)).toBeUndefined();
  });

  it('refuses the writes of an attempt that was overtaken', async () => {
    const old = await store.acquireFence('fenced');
    await store.commitCheckpoint({ key: 'fenced', token: old, deviceClass, step: 1, ref: reference('a') });
    const token = await store.acquireFence('fenced');
    const late = { key: 'fenced', token: old, deviceClass, step: 2, ref: reference('b') };
    const plan = { replicas: 2, threads: 1, split: 1 };
    await expect(store.commitCheckpoint(late)).rejects.toMatchObject({ code: 'TRAINING_FENCED' });
    await expect(store.savePlan({ ...late, plan })).rejects.toMatchObject({ code: 'TRAINING_FENCED' });
    await expect(store.commitCheckpoint({ ...late, key: 'never started' })).rejects.toMatchObject({
      code: 'TRAINING_FENCED',
    });
    expect((await store.latestCheckpoint('fenced', deviceClass))?.step).toBe(1);
    await store.commitCheckpoint({ ...late, token });
    expect((await store.latestCheckpoint('fenced', deviceClass))?.step).toBe(2);
  });

  it('lets no write slip in after a take-over that has begun', async () => {
    const token = await store.acquireFence('overlap');
    const taker = await database.worker.connect();
    try {
      await taker.query('BEGIN');
      await taker.query("UPDATE training_fences SET token = token + 1 WHERE key = 'overlap'");
      const write = store.commitCheckpoint({ key: 'overlap', token, deviceClass, step: 1, ref: reference('a') });
      const refused = expect(write).rejects.toMatchObject({ code: 'TRAINING_FENCED' });
      await taker.query('COMMIT');
      await refused;
    } finally {
      taker.release();
    }
    expect(await store.latestCheckpoint('overlap', deviceClass)).toBeUndefined();
  });

  it('remembers the plan of the first attempt, and its change', async () => {
    const token = await store.acquireFence('plan');
    expect(await store.plan('plan', deviceClass)).toBeUndefined();
    for (const split of [1, 2]) {
      const plan = { replicas: 2, threads: 1, split };
      await store.savePlan({ key: 'plan', token, deviceClass, plan });
      expect(await store.plan('plan', deviceClass)).toEqual(plan);
    }
  });
});
