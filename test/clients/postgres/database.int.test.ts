import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AuditLog, OAuthClients, createPool, withLock } from '../../../lib/clients/index.ts';
import { loadConfig } from '../../../lib/config/index.ts';
import { createPrivateDatabase, type PrivateDatabase } from '../../support/private-database.ts';
import { digest } from './versions.ts';

let database: PrivateDatabase;

beforeAll(async () => {
  database = await createPrivateDatabase();
});
afterAll(() => database.drop());

describe('createPool', () => {
  it('says that the server is away, and works again after', async () => {
    const clients = new OAuthClients(database.api);
    await clients.list();
    await database.disconnect();
    const outcomes = await Promise.allSettled([clients.list(), clients.list()]);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    }
    expect(await clients.list()).toEqual([]);
  });

  it.each([
    ['nobody listens', { SAIP_POSTGRES_PORT: '1' }, 'DATABASE_UNAVAILABLE'],
    ['the password is wrong', {}, 'DATABASE_REJECTED'],
  ])('has a code for it when %s', async (_, env, code) => {
    const { host, port, database: name } = database.config.postgres;
    const config = loadConfig('test', {
      SAIP_POSTGRES_HOST: host,
      SAIP_POSTGRES_PORT: String(port),
      SAIP_POSTGRES_DATABASE: name,
      ...env,
    });
    const pool = createPool(config, { username: 'saip_api', password: 'not this one' });
    const failure = new OAuthClients(pool).list();
    await expect(failure).rejects.toMatchObject({ code });
    await expect(failure).rejects.not.toThrow(/not this one/);
    await pool.end();
  });
});

describe('withLock', () => {
  it('lets one work at a time, and lets go when the work fails', async () => {
    const { worker } = database;
    let running = 0;
    const work = async (): Promise<void> => {
      running += 1;
      expect(running).toBe(1);
      await worker.query('SELECT pg_sleep(0.02)');
      running -= 1;
    };
    const failing = withLock(worker, 'name', () => Promise.reject(new Error('work failed')));
    await Promise.all([
      expect(failing).rejects.toThrow('work failed'),
      ...[1, 2, 3].map(() => withLock(worker, 'name', work)),
    ]);
  });
});

describe('OAuthClients', () => {
  const client = {
    clientId: 'trainer',
    secretSha256: digest('a'),
    subject: 'user:ada',
    roles: ['trainer', 'viewer'] as const,
    tenant: 'default',
  };

  it('are written by the owner and read by the API', async () => {
    const own = new OAuthClients(database.owner);
    const read = new OAuthClients(database.api);
    await own.put({ ...client, roles: ['viewer'] });
    await own.put({ ...client, roles: [...client.roles] });
    expect(await read.find('trainer')).toEqual(client);
    expect(await read.list()).toEqual([client]);
    expect(await read.find('stranger')).toBeUndefined();
    await expect(read.remove('trainer')).rejects.toMatchObject({ code: 'DATABASE_REJECTED' });
    expect(await own.remove('trainer')).toBe(true);
    expect(await own.remove('trainer')).toBe(false);
  });
});

describe('AuditLog', () => {
  it('keeps entries in order, and those of one operation once', async () => {
    const log = new AuditLog(database.worker);
    const entry = {
      actor: 'user:ada',
      action: 'workflow:start',
      subject: 'model:m',
      decision: 'allow',
      detail: { a: 'b' },
    };
    await log.append({ ...entry, traceId: digest('d').slice(0, 32) });
    await log.append(entry);
    for (const attempt of ['first', 'second']) {
      await log.append({ ...entry, actor: 'worker', detail: { attempt }, operationId: 'workflow/run/7' });
    }
    const entries = await new AuditLog(database.api).entries();
    expect(entries.map(({ actor }) => actor)).toEqual(['worker', 'user:ada', 'user:ada']);
    expect(entries[0]?.detail).toEqual({ attempt: 'first' });
    expect(entries[2]).toMatchObject({ ...entry, traceId: 'd'.repeat(32) });
    const read = new AuditLog(database.api);
    expect(await read.entries({ actor: 'user:ada', limit: 1 })).toHaveLength(1);
    expect(await read.entries({ beforeId: entries[1]?.id })).toHaveLength(1);
    expect(await read.entries({ action: 'model:infer' })).toEqual([]);
  });
});
