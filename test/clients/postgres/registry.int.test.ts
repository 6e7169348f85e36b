import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AliasLog, ModelRegistry, type AliasChange } from '../../../lib/clients/index.ts';
import { createPrivateDatabase, type PrivateDatabase } from '../../support/private-database.ts';
import { digest, newVersion } from './versions.ts';

let database: PrivateDatabase;
let registry: ModelRegistry;
let aliases: AliasLog;

beforeAll(async () => {
  database = await createPrivateDatabase();
  registry = new ModelRegistry(database.worker);
  aliases = new AliasLog(database.worker);
});
afterAll(() => database.drop());

let operations = 0;
function change(model: string, version: string | undefined, more: Partial<AliasChange> = {}): AliasChange {
  operations += 1;
  const operationId = `operation-${operations}`;
  return { model, alias: 'champion', version, workflowId: 'w', actor: 'ada', reason: 'better', operationId, ...more };
}

async function registered(model: string, count: number): Promise<void> {
  for (const digit of 'abcdef'.slice(0, count)) await registry.register(newVersion(model, digit));
}

describe('ModelRegistry', () => {
  it('counts versions from 1, without gaps, whoever registers at the same time', async () => {
    const results = await Promise.all([...'0123456789'].map((digit) => registry.register(newVersion('busy', digit))));
    expect(results.map((stored) => Number(stored.version)).toSorted((a, b) => a - b)).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
    ]);
  });

  it('gives a repetition the version it has', async () => {
    const once = await registry.register(newVersion('twice', 'a', 'workflow'));
    const again = await Promise.all([1, 2, 3].map(() => registry.register(newVersion('twice', 'a', 'workflow'))));
    expect(new Set(again.map((stored) => stored.version))).toEqual(new Set([once.version]));
    expect((await registry.register(newVersion('twice', 'a', 'other'))).version).toBe('2');
    expect((await registry.register(newVersion('twice', 'b', 'workflow'))).version).toBe('3');
  });

  it('gives back what was registered', async () => {
    await registry.register(newVersion('whole', 'a'));
    const stored = await registry.get('whole', '1');
    expect(stored).toMatchObject({ ...newVersion('whole', 'a'), version: '1' });
    expect(stored.createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  });

  it('pages versions and models', async () => {
    await registered('paged', 5);
    const first = await registry.versions('paged', { limit: 2 });
    const second = await registry.versions('paged', { limit: 2, before: first.at(-1)?.version });
    expect([...first, ...second].map((stored) => stored.version)).toEqual(['5', '4', '3', '2']);
    const [next] = await registry.models({ after: 'page', limit: 1 });
    expect(next).toMatchObject({ name: 'paged', versions: 5, latestVersion: '5', aliases: {} });
  });

  it('says what it does not know', async () => {
    await registered('small', 1);
    await expect(registry.get('none', '1')).rejects.toMatchObject({ code: 'MODEL_UNKNOWN' });
    for (const version of ['2', '0', '-1', '1.0', 'x', '99999999999']) {
      await expect(registry.get('small', version)).rejects.toMatchObject({ code: 'MODEL_VERSION_UNKNOWN' });
    }
  });
});

describe('AliasLog', () => {
  it('writes one row for one operation, however often and however late it is tried', async () => {
    await registered('retried', 2);
    const first = change('retried', '1');
    const rows = await Promise.all([1, 2, 3, 4].map(() => aliases.append(first)));
    expect(new Set(rows.map((row) => row.id)).size).toBe(1);
    await aliases.append(change('retried', '2'));
    expect((await aliases.append(first)).id).toBe(rows[0]?.id);
    expect((await aliases.current('retried', 'champion'))?.version).toBe('2');
    await expect(aliases.append({ ...first, version: '2' })).rejects.toMatchObject({ code: 'DATABASE_CONFLICT' });
  });

  it('knows what was live at any time', async () => {
    await registered('timed', 2);
    const events = [
      await aliases.append(change('timed', '1')),
      await aliases.append(change('timed', '2')),
      await aliases.append(change('timed', undefined)),
    ];
    const liveAt = async (time: string): Promise<string | undefined> =>
      (await aliases.at('timed', 'champion', time))?.version;
    expect(await liveAt('2020-01-01T00:00:00Z')).toBeUndefined();
    expect(await Promise.all(events.map(({ at }) => liveAt(at)))).toEqual(['1', '2', undefined]);
    expect(await aliases.live('timed')).toEqual([]);
    expect(await aliases.liveAt('timed', events[1]?.at ?? '')).toMatchObject([
      { alias: 'champion', version: '2', digest: digest('b'), actor: 'ada', since: events[1]?.at },
    ]);
    expect((await aliases.history('timed')).map((row) => row.version)).toEqual([undefined, '2', '1']);
    expect(await aliases.history('timed', { until: events[0]?.at })).toHaveLength(1);
    expect(await aliases.history('timed', { beforeId: events[1]?.id, limit: 5 })).toHaveLength(1);
  });

  it('refuses a version that does not exist, or was withdrawn', async () => {
    await registered('strict', 2);
    await aliases.append(change('strict', '1'));
    await aliases.append(change('strict', '2'));
    await aliases.append(change('strict', '2', { alias: 'challenger' }));
    await expect(aliases.append(change('strict', '3'))).rejects.toMatchObject({ code: 'MODEL_VERSION_UNKNOWN' });
    const withdrawal = { model: 'strict', version: '2', reason: 'failed after registration' };
    expect((await registry.withdraw(withdrawal)).toSorted()).toEqual(['challenger', 'champion']);
    expect(await registry.withdraw(withdrawal)).toEqual([]);
    expect(await aliases.live('strict')).toEqual([]);
    await expect(aliases.append(change('strict', '2'))).rejects.toMatchObject({ code: 'MODEL_VERSION_WITHDRAWN' });
    expect((await registry.get('strict', '2')).withdrawn).toMatchObject({ reason: 'failed after registration' });
    await expect(registry.register(newVersion('strict', 'b'))).rejects.toMatchObject({
      code: 'MODEL_VERSION_WITHDRAWN',
    });
  });

  it('never lets an alias mean a version that is withdrawn at the same time', async () => {
    for (const round of [1, 2, 3, 4, 5]) {
      const model = `race-${round}`;
      await registered(model, 1);
      const race = [aliases.append(change(model, '1')), registry.withdraw({ model, version: '1', reason: 'race' })];
      await Promise.allSettled(race);
      expect(await aliases.live(model)).toEqual([]);
    }
  });

  it('finds the champion to go back to', async () => {
    await registered('former', 4);
    const previous = async (): Promise<string | undefined> => (await aliases.previousChampion('former'))?.version;
    expect(await previous()).toBeUndefined();
    await aliases.append(change('former', '1'));
    expect(await previous()).toBeUndefined();
    for (const version of ['2', '2', '3']) await aliases.append(change('former', version));
    await aliases.append(change('former', '4', { alias: 'challenger' }));
    expect(await previous()).toBe('2');
    await registry.withdraw({ model: 'former', version: '2', reason: 'bad' });
    expect(await previous()).toBe('1');
    await aliases.append(change('former', undefined));
    expect(await previous()).toBe('3');
  });
});
