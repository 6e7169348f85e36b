import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AliasLog, AuditLog, ModelRegistry, migrate } from '../../../lib/clients/index.ts';
import { createPrivateDatabase, type PrivateDatabase } from '../../support/private-database.ts';
import { newVersion } from './versions.ts';

let database: PrivateDatabase;

beforeAll(async () => {
  database = await createPrivateDatabase({ migrated: false });
});
afterAll(() => database.drop());

describe('migrate', () => {
  it('runs every migration once, with several callers at a time', async () => {
    const call = (): Promise<string[]> => migrate({ config: database.config, credentials: database.credentials.owner });
    const runs = await Promise.all([call(), call(), call()]);
    const done = runs.filter((names) => names.length > 0);
    expect(done).toHaveLength(1);
    expect(done[0]?.[0]).toBe('0001_registry');
    expect(await call()).toEqual([]);
  });

  it('is for the owner alone', async () => {
    const { config, credentials } = database;
    await expect(migrate({ config, credentials: credentials.api })).rejects.toMatchObject({
      code: 'DATABASE_REJECTED',
    });
  });
});

describe('grants', () => {
  const TABLES = ['model_versions', 'alias_log', 'audit_log', 'oauth_clients', 'training_fences', 'schema_migrations'];

  it.each([
    ['api', ['oauth_clients', 'audit_log'], 'training_fences'],
    ['worker', ['model_versions', 'alias_log'], 'oauth_clients'],
  ] as const)('let the role of %s see what it needs, and no more', async (role, readable, hidden) => {
    for (const table of readable) await database[role].query(`SELECT 1 FROM ${table}`);
    await expect(database[role].query(`SELECT 1 FROM ${hidden}`)).rejects.toMatchObject({ code: '42501' });
  });

  it.each(['api', 'worker'] as const)('let the role of %s take nothing away and change no schema', async (role) => {
    for (const table of TABLES) {
      await expect(database[role].query(`DELETE FROM ${table}`)).rejects.toMatchObject({ code: '42501' });
    }
    await expect(database[role].query('CREATE TABLE own (id int)')).rejects.toMatchObject({ code: '42501' });
    await expect(database[role].query('UPDATE model_versions SET digest = NULL')).rejects.toMatchObject({
      code: '42501',
    });
  });
});

describe('triggers', () => {
  beforeAll(async () => {
    const { worker } = database;
    await new ModelRegistry(worker).register(newVersion('kept', 'a'));
    const change = { model: 'kept', alias: 'champion', version: '1', workflowId: 'w', actor: 'a', reason: 'r' };
    await new AliasLog(worker).append({ ...change, operationId: 'first' });
    await new AuditLog(worker).append({ actor: 'a', action: 'b', subject: 'c', decision: 'allow', detail: {} });
  });

  it.each([
    ['alias_log', "SET actor = 'other'"],
    ['audit_log', "SET actor = 'other'"],
  ])('keep %s append-only for its owner too', async (table, change) => {
    for (const statement of [`UPDATE ${table} ${change}`, `DELETE FROM ${table}`, `TRUNCATE ${table}`]) {
      await expect(database.owner.query(statement)).rejects.toThrow('append-only');
    }
  });

  it('let a version be withdrawn once, and nothing else', async () => {
    const { owner } = database;
    await expect(owner.query("UPDATE model_versions SET metrics = '{}'")).rejects.toThrow('cannot be changed');
    await expect(owner.query('DELETE FROM model_versions')).rejects.toThrow('append-only');
    await new ModelRegistry(database.worker).withdraw({ model: 'kept', version: '1', reason: 'because' });
    await expect(owner.query('UPDATE model_versions SET withdrawn_at = NULL, withdrawn_reason = NULL')).rejects.toThrow(
      'cannot be changed',
    );
  });
});
