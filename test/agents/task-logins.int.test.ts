import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { z } from 'zod';
import { TaskLogins } from '../../lib/agents/index.ts';
import { AgentStore, AgentViews, AliasLog, createPool, ModelRegistry } from '../../lib/clients/index.ts';
import type { BaoClient, DatabaseLogin, Pool } from '../../lib/clients/index.ts';
import { loadConfig } from '../../lib/config/index.ts';
import type { SaipConfig } from '../../lib/config/index.ts';
import { SecretRegistry } from '../../lib/guardrails/index.ts';
import { newVersion } from '../clients/postgres/versions.ts';
import { stackBao } from '../support/stack-bao.ts';
import { stackEnv } from '../support/stack.ts';

const MODEL = `agent-${randomUUID().slice(0, 8)}`;

let config: SaipConfig;
let bao: BaoClient;
let pool: Pool;
let store: AgentStore;
const registry = new SecretRegistry();
const borrowed: DatabaseLogin[] = [];

async function poolOf(process: 'worker-agents' | 'worker-cpu'): Promise<Pool> {
  const vault = stackBao(process);
  const Login = z.object({ username: z.string(), password: z.string() });
  const login = Login.parse(await vault.kvRead(`saip/postgres/${process}`));
  await vault.close();
  return createPool(config, login, { max: 2 });
}

beforeAll(async () => {
  config = loadConfig('worker-agents', stackEnv('worker-agents'));
  bao = stackBao('worker-agents');
  pool = await poolOf('worker-agents');
  store = new AgentStore(pool);
  const worker = await poolOf('worker-cpu');
  const registered = new ModelRegistry(worker);
  const aliases = new AliasLog(worker);
  for (const version of ['1', '2']) {
    await registered.register({ ...newVersion(MODEL, version), metrics: { accuracy: 0.9 } });
    const change = { model: MODEL, alias: 'champion', version, workflowId: version, actor: 'ann', reason: 'rollout' };
    await aliases.append({ ...change, operationId: `${MODEL}/${version}` });
  }
  await worker.end();
});
afterAll(async () => {
  await pool.end();
  await bao.close();
});

/** Stands for one worker process. */
function worker(): TaskLogins {
  return new TaskLogins({
    vault: bao,
    store,
    registry,
    connect: (login) => {
      borrowed.push(login);
      return createPool(config, login, { max: 2 });
    },
  });
}

const last = (): DatabaseLogin => borrowed.at(-1) ?? { username: '', password: '', seconds: 0 };

/** SQLSTATE of what the statements fail with under a login, or of the login itself. */
async function refusal({ username, password }: DatabaseLogin, ...statements: string[]): Promise<string | undefined> {
  const { host, port, database } = config.postgres;
  const client = new pg.Client({ host, port, database, user: username, password });
  try {
    await client.connect();
    for (const sql of statements) await client.query(sql);
    return undefined;
  } catch (error) {
    return String(Reflect.get(error as object, 'code'));
  } finally {
    await client.end().catch(() => undefined);
  }
}

describe('a login borrowed for a task', () => {
  it('reads the views of agents and nothing else', async () => {
    const logins = worker();
    const { pool: own } = await logins.use('task-views');
    const views = new AgentViews(own);
    expect(await views.whoAmI()).toBe(last().username);
    expect(await views.models(50)).toContainEqual(
      expect.objectContaining({ model: MODEL, versions: 2, latest: '2', champion: '2', championReason: 'rollout' }),
    );
    expect(await views.version(MODEL, 'champion')).toMatchObject({ version: '2', aliases: ['champion'] });
    expect(await views.version(MODEL, '1')).toMatchObject({ version: '1', metrics: { accuracy: 0.9 } });
    expect(await views.version(MODEL, '7')).toBeUndefined();
    expect(await views.formerChampion(MODEL)).toBe('1');

    const DENIED = '42501';
    for (const sql of [
      'SELECT * FROM public.model_versions',
      'SELECT * FROM public.alias_log',
      'SELECT * FROM public.audit_log',
      'SELECT * FROM public.oauth_clients',
      'SELECT * FROM public.agent_logins',
      'SELECT pg_read_file($$/etc/passwd$$)',
      'SET ROLE saip_owner',
      'SET ROLE saip_lender',
    ]) {
      expect([sql, await refusal(last(), sql)]).toEqual([sql, DENIED]);
    }
    const writable = 'SET default_transaction_read_only = off';
    for (const sql of [
      'CREATE ROLE mallory LOGIN',
      'INSERT INTO public.audit_log DEFAULT VALUES',
      'CREATE TABLE public.x ()',
      'DELETE FROM agent.model_versions',
    ]) {
      expect([sql, await refusal(last(), writable, sql)]).toEqual([sql, DENIED]);
    }
    expect(await refusal(last(), 'CREATE ROLE mallory LOGIN')).toBe('25006');
    await logins.revoke('task-views');
  });

  it('is one for the whole task, and is known to the filters while it lasts', async () => {
    const logins = worker();
    const [first, second] = await Promise.all([logins.use('task-once'), logins.use('task-once')]);
    expect(second.username).toBe(first.username);
    expect(registry.find(last().password)).not.toEqual([]);
    await logins.revoke('task-once');
    expect(registry.find(last().password)).toEqual([]);
  });

  it('stops working at once when it is revoked, open connections too', async () => {
    const logins = worker();
    await logins.use('task-revoked');
    const { host, port, database } = config.postgres;
    const open = new pg.Client({ host, port, database, user: last().username, password: last().password });
    const ended = new Promise<void>((resolve) => open.once('end', resolve));
    open.on('error', () => undefined);
    await open.connect();
    expect(await refusal(last(), 'SELECT 1')).toBeUndefined();
    expect(await logins.revoke('task-revoked')).toBe(1);
    await ended;
    // Invalid password or no such role: PostgreSQL says the same to both.
    expect(await refusal(last(), 'SELECT 1')).toBe('28P01');
    const { rows } = await pool.query('SELECT FROM pg_roles WHERE rolname = $1', [last().username]);
    expect(rows).toEqual([]);
    expect(await logins.revoke('task-revoked')).toBe(0);
  });

  it('of a worker that died is revoked by another', async () => {
    await worker().use('task-crashed');
    const lost = last();
    const successor = worker();
    await successor.use('task-crashed');
    expect(last().username).not.toBe(lost.username);
    expect(await successor.revoke('task-crashed')).toBe(2);
    for (const login of [lost, last()]) expect(await refusal(login, 'SELECT 1')).toBe('28P01');
  });
});

describe('the login of the agent worker itself', () => {
  it('reads no secret of another process, borrows only by a token of a task, and signs nothing', async () => {
    for (const path of [
      'saip/postgres/api',
      'saip/postgres/owner',
      'saip/postgres/lender',
      'saip/postgres/worker-cpu',
    ]) {
      await expect(bao.kvRead(path)).rejects.toMatchObject({ code: 'SECRET_FORBIDDEN' });
    }
    for (const key of ['models', 'tokens', 'approvals']) {
      const signing = bao.transitSign(key, Buffer.from('x'), { marshaling: 'asn1' });
      await expect(signing).rejects.toMatchObject({ code: 'SECRET_FORBIDDEN' });
    }
    const forged = { token: 'none', accessor: 'none' };
    await expect(bao.borrowDatabaseLogin('agent-readonly', forged)).rejects.toMatchObject({ code: 'SECRET_FORBIDDEN' });
    await expect(bao.childToken('saip-supervisor', {})).rejects.toMatchObject({ code: 'SECRET_FORBIDDEN' });
  });

  it('moves no alias, registers nothing, and rewrites no step', async () => {
    for (const sql of [
      'SELECT * FROM model_versions',
      "INSERT INTO alias_log (model, alias, workflow_id, actor, reason, operation_id) VALUES ('m', 'champion', 'w', 'a', 'r', 'o')",
      'UPDATE agent_steps SET result = NULL',
      'DELETE FROM audit_log',
      'SELECT * FROM audit_log',
    ]) {
      await expect(pool.query(sql)).rejects.toMatchObject({ code: '42501' });
    }
  });
});

describe('the result of a step', () => {
  const step = { task: `task-${randomUUID()}`, step: 'think/1', inputSha256: 'a'.repeat(64) };

  it('is the first one, whoever comes second', async () => {
    expect(await store.find(step)).toBeUndefined();
    const kept = await Promise.all(['one', 'two'].map((result) => store.keep(step, { result, entries: [] })));
    expect(kept[0]).toBe(kept[1]);
    expect(await store.find(step)).toEqual({ result: kept[0] });
  });

  it('belongs to its input', async () => {
    await expect(store.find({ ...step, inputSha256: 'b'.repeat(64) })).rejects.toMatchObject({
      code: 'DATABASE_CONFLICT',
    });
  });
});
