import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AttackLog, ModelRegistry } from '../../../lib/clients/index.ts';
import type { NewAttackRecord } from '../../../lib/clients/index.ts';
import { createPrivateDatabase, type PrivateDatabase } from '../../support/private-database.ts';
import { digest, newVersion, reference } from './versions.ts';

let database: PrivateDatabase;
let log: AttackLog;
beforeAll(async () => {
  database = await createPrivateDatabase();
  log = new AttackLog(database.worker);
  const registry = new ModelRegistry(database.worker);
  for (const digit of ['1', '2', '3']) await registry.register(newVersion('m', digit));
});
afterAll(() => database.drop());

const interval = (value: number) => ({ value, low: value - 0.01, high: value + 0.01 });
const record = (version: string, worst: number, changes: Partial<NewAttackRecord> = {}): NewAttackRecord => {
  const byEpsilon = [{ epsilon: 0.2, accuracy: interval(worst) }];
  return {
    model: 'm',
    version,
    digest: digest(version),
    configSha256: digest('c'),
    measurement: { attacks: [{ kind: 'fgsm' }], epsilons: [0.2], samples: 100, seed: 1 },
    measured: {
      samples: 100,
      clean: interval(0.9),
      attacks: [{ attack: 'fgsm', epsilon: 0.2, accuracy: interval(worst) }],
      worst: byEpsilon,
      served: { examples: 200, same: 200, clean: interval(0.9), worst: byEpsilon },
      gradients: 300,
      seconds: 1.5,
      deviceClass: 'cpu',
    },
    workflowId: 'attack-1',
    runId: 'run-1',
    ...changes,
  };
};

describe('AttackLog', () => {
  it('remembers finished batches by key and device class', async () => {
    const batch = (number: number, digit: string, deviceClass = 'cpu') =>
      log.commitBatch({ key: 'k', deviceClass, batch: number, ref: reference(digit) });
    await batch(0, 'a');
    await batch(2, 'b');
    await batch(1, 'c', 'cuda');
    await batch(2, 'd');
    const known = new Map([
      [0, reference('a')],
      [2, reference('d')],
    ]);
    expect(await log.finishedBatches('k', 'cpu')).toEqual(known);
    expect(await log.finishedBatches('other', 'cpu')).toEqual(new Map());
  });

  it('keeps one result a run, version and configuration', async () => {
    const first = await log.append(record('1', 0.1));
    expect(first).toMatchObject({ version: '1', measured: { worst: [{ accuracy: { value: 0.1 } }] } });
    expect(await log.append(record('1', 0.5))).toEqual(first);
  });

  it('compares with the oldest result of the same model, or else the newest of another version', async () => {
    await log.append(record('1', 0.11, { workflowId: 'attack-2' }));
    const baseline = (digit: string, configSha256 = digest('c')) =>
      log.baseline({ model: 'm', digest: digest(digit), configSha256 });
    expect(await baseline('1')).toMatchObject({ workflowId: 'attack-1' });
    expect(await baseline('2')).toMatchObject({ version: '1', workflowId: 'attack-2' });
    expect(await baseline('1', digest('d'))).toBeUndefined();
  });

  it('lists the newest first, in pages', async () => {
    await log.append(record('2', 0.8, { workflowId: 'attack-3' }));
    const reader = new AttackLog(database.api);
    const [first, second] = await reader.list({ model: 'm', limit: 2 });
    expect([first?.workflowId, second?.workflowId]).toEqual(['attack-3', 'attack-2']);
    const rest = await reader.list({ beforeId: second?.id, limit: 10 });
    expect(rest.map(({ workflowId }) => workflowId)).toEqual(['attack-1']);
    expect(await reader.list({ model: 'other', limit: 10 })).toEqual([]);
  });

  it('gives a release the newest result about exactly its files', async () => {
    await log.append(record('1', 0.4, { workflowId: 'attack-4' }));
    expect(await log.evidence({ model: 'm', digest: digest('1') })).toMatchObject({
      workflowId: 'attack-4',
      digest: digest('1'),
      samples: 100,
      clean: { value: 0.9 },
      worst: [{ epsilon: 0.2, accuracy: { value: 0.4 } }],
      measurement: { attacks: [{ kind: 'fgsm' }], seed: 1 },
    });
    expect(await log.evidence({ model: 'm', digest: digest('9') })).toBeUndefined();
  });

  it('takes results of registered versions alone, and never changes one', async () => {
    await expect(log.append(record('9', 0.1))).rejects.toMatchObject({ code: 'DATABASE_REJECTED' });
    await expect(database.worker.query('UPDATE attack_results SET version = 2')).rejects.toThrow();
    await expect(database.api.query('DELETE FROM attack_results')).rejects.toThrow();
  });
});
