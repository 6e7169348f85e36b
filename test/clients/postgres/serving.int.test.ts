import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AliasLog, ModelRegistry, ServingStatus, listenAliases, type AliasNotice } from '../../../lib/clients/index.ts';
import { createPrivateDatabase, type PrivateDatabase } from '../../support/private-database.ts';
import { digest, newVersion } from './versions.ts';

let database: PrivateDatabase;
let serving: ServingStatus;

beforeAll(async () => {
  database = await createPrivateDatabase();
  serving = new ServingStatus(database.api);
});
afterAll(() => database.drop());

describe('ServingStatus', () => {
  it('reports for each live replica, loading as long as it said nothing', async () => {
    await serving.heartbeat('silent');
    const ready = {
      replica: 'ready',
      model: 'm',
      alias: 'champion',
      state: 'ready',
      version: '3',
      digest: digest('a'),
    } as const;
    await serving.report({ ...ready, state: 'loading' });
    await serving.report(ready);
    await serving.report({
      ...ready,
      replica: 'refusing',
      state: 'refused',
      code: 'SIGNATURE_INVALID',
      reason: 'changed',
    });
    const reports = await new ServingStatus(database.worker).reports('m', 'champion');
    expect(reports).toMatchObject([
      { replica: 'ready', state: 'ready', version: '3', digest: digest('a') },
      { replica: 'refusing', state: 'refused', code: 'SIGNATURE_INVALID', reason: 'changed' },
      { replica: 'silent', state: 'loading' },
    ]);
    await serving.leave('refusing');
    await serving.retract({ replica: 'ready', model: 'm', alias: 'champion' });
    expect((await serving.reports('m', 'champion')).map(({ replica, state }) => [replica, state])).toEqual([
      ['ready', 'loading'],
      ['silent', 'loading'],
    ]);
  });

  it('waits for nobody who was not heard of for ten seconds', async () => {
    await serving.heartbeat('gone');
    await database.owner.query(
      "UPDATE serving_replicas SET seen_at = seen_at - interval '11 s' WHERE replica = 'gone'",
    );
    expect(await serving.liveReplicas()).not.toContain('gone');
    expect((await serving.reports('m', 'champion')).map(({ replica }) => replica)).not.toContain('gone');
    await serving.heartbeat('gone');
    expect(await serving.liveReplicas()).toContain('gone');
  });
});

describe('listenAliases', () => {
  it('tells of each change, and after a lost connection that some may have been missed', async () => {
    const heard: (AliasNotice | undefined)[] = [];
    let wake = (): void => undefined;
    const until = async (condition: () => boolean): Promise<void> => {
      while (!condition()) await new Promise<void>((resolve) => (wake = resolve));
    };
    const listener = listenAliases({
      config: database.config,
      credentials: database.credentials.api,
      onChange: (notice) => {
        heard.push(notice);
        wake();
      },
    });
    try {
      const aliases = new AliasLog(database.worker);
      await new ModelRegistry(database.worker).register(newVersion('heard', 'a'));
      const change = { model: 'heard', alias: 'champion', version: '1', workflowId: 'w', actor: 'a', reason: 'r' };
      await until(() => heard.length === 1);
      const first = await aliases.append({ ...change, operationId: 'heard-1' });
      await until(() => heard.length === 2);
      expect(heard).toEqual([undefined, { id: first.id, model: 'heard', alias: 'champion' }]);
      await database.disconnect();
      await until(() => heard.length === 3);
      expect(heard[2]).toBeUndefined();
      await aliases.append({ ...change, operationId: 'heard-2', version: undefined });
      await until(() => heard.length === 4);
    } finally {
      await listener.close();
    }
  });
});
