import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import getPort from 'get-port';
import { z } from 'zod';
import { CHECKOUT } from '../../infra/local/toolchain.ts';
import { Sequencer, Witness, verifyLog } from '../../lib/audit/index.ts';
import { AuditTree, OAuthClients, createPool, type Pool } from '../../lib/clients/index.ts';
import { loadConfig } from '../../lib/config/index.ts';
import { localClient } from '../api/support/harness.ts';
import { linearModel } from '../api/support/onnx-models.ts';
import { openRegistry, type TestRegistry } from '../api/support/registry.ts';
import { until } from '../api/support/until.ts';
import { readLogins } from '../support/private-database.ts';
import { PrivatePostgres } from '../support/private-postgres.ts';
import { stackEnv } from '../support/stack.ts';
import { newKey } from './support/memory-log.ts';

const CLIENTS = 8;
/** Acknowledged inferences after which something is killed; primes, so that they fall anywhere in a batch. */
const MOMENTS: readonly (readonly [number, 'api' | 'postgres'])[] = [
  [61, 'postgres'],
  [127, 'api'],
  [181, 'postgres'],
];
const ENOUGH = 250;

let postgres: PrivatePostgres;
let registry: TestRegistry;
let folder: string;
let api: ChildProcess | undefined;
let env: Record<string, string>;
let pools: { owner: Pool; sequencer: Pool };

beforeAll(async () => {
  postgres = await PrivatePostgres.start();
  folder = await mkdtemp(join(tmpdir(), 'saip-audit-'));
  const port = await getPort();
  env = {
    SAIP_POSTGRES_PORT: String(postgres.port),
    SAIP_AUDIT_SPOOL: join(folder, 'spool'),
    SAIP_API_PORT: String(port),
    SAIP_API_URL: `http://127.0.0.1:${port}`,
  };
  const config = loadConfig('test', { ...stackEnv('worker-cpu'), SAIP_POSTGRES_PORT: String(postgres.port) });
  const { owner, sequencer } = await readLogins(config);
  pools = { owner: createPool(config, owner), sequencer: createPool(config, sequencer) };
  const { clientId, clientSecret } = localClient('predictor');
  await new OAuthClients(pools.owner).put({
    clientId,
    secretSha256: createHash('sha256').update(clientSecret).digest('hex'),
    subject: 'local-predictor',
    roles: ['predictor'],
    tenant: 'default',
  });
  registry = await openRegistry({ SAIP_POSTGRES_PORT: String(postgres.port) });
  const { version } = await registry.register('killed', linearModel());
  await registry.alias('killed', 'champion', version);
});

afterAll(async () => {
  api?.kill('SIGKILL');
  await registry.close();
  await Promise.all(Object.values(pools).map((pool) => pool.end()));
  await postgres.remove();
  await rm(folder, { recursive: true, force: true });
});

function startApi(): void {
  api = spawn(process.execPath, [join(CHECKOUT, 'api', 'main.ts')], {
    env: { ...stackEnv('api'), ...env },
    stdio: 'ignore',
  });
}

async function killApi(): Promise<void> {
  const killed = api;
  if (killed === undefined) return;
  killed.kill('SIGKILL');
  await once(killed, 'exit');
}

async function fetchToken(): Promise<string> {
  const { clientId, clientSecret } = localClient('predictor');
  const body = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret };
  return until('a token', async () => {
    const answer = await fetch(`${env['SAIP_API_URL']}/v1/auth/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }).catch(() => undefined);
    if (answer?.status !== 200) return undefined;
    return z.object({ access_token: z.string() }).parse(await answer.json()).access_token;
  });
}

async function ready(): Promise<true | undefined> {
  const answer = await fetch(`${env['SAIP_API_URL']}/v2/health/ready`).catch(() => undefined);
  return answer?.status === 200 ? true : undefined;
}

/** One inference under a trace id of its own. @returns the id if it was answered with success */
async function infer(token: string): Promise<string | undefined> {
  const traceId = randomBytes(16).toString('hex');
  const answer = await fetch(`${env['SAIP_API_URL']}/v2/models/killed/infer`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      traceparent: `00-${traceId}-b7ad6b7169203331-01`,
    },
    body: JSON.stringify({ inputs: [{ name: 'x', shape: [1, 4], datatype: 'FP32', data: [1, 2, 3, 4] }] }),
  }).catch(() => undefined);
  if (answer?.status !== 200) return undefined;
  // The whole answer: what a client did not get to the end was not acknowledged to it.
  return (await answer.text().catch(() => undefined)) === undefined ? undefined : traceId;
}

describe('the audit log under kill -9', () => {
  it('has every inference that was answered, once, whatever is killed', async () => {
    startApi();
    const token = await fetchToken();
    await until('the model is served', () => infer(token));
    const answered = new Set<string>();
    // A quick machine would have enough before the last kill; nobody would then be there to notice it.
    let killing = true;
    const client = async (): Promise<void> => {
      while (killing || answered.size < ENOUGH) {
        const id = await infer(token);
        if (id !== undefined) answered.add(id);
        else await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    const clients = Array.from({ length: CLIENTS }, client);
    for (const [moment, victim] of MOMENTS) {
      await until(`${moment} answers`, () => answered.size >= moment, 1);
      if (victim === 'api') {
        await killApi();
        startApi();
      } else {
        // A start needs the database, and answers may come before it is over.
        await until('the API has started', ready);
        await postgres.kill();
        const before = answered.size;
        // Inference does not wait for the database: its records lie in the spool.
        await until('answers without PostgreSQL', () => answered.size > before + 10, 1);
        await postgres.boot();
      }
    }
    killing = false;
    await Promise.all(clients);
    await killApi();
    startApi();

    const counts = await until(
      'every record is in the log',
      async () => {
        const { rows } = await pools.owner
          .query<{ id: string; count: number }>(
            `SELECT trace_id AS id, count(*)::int AS count FROM audit_log
           WHERE action = 'model:infer' AND decision = 'allow' GROUP BY trace_id`,
          )
          .catch(() => ({ rows: [] }));
        const found = new Map(rows.map(({ id, count }) => [id, count]));
        return [...answered].every((id) => found.has(id)) && found;
      },
      200,
    );
    expect([...counts.values()].filter((count) => count !== 1)).toEqual([]);
    // Leftovers of killed processes are gone; the living one keeps its own folder.
    await until('no spool is left behind', async () => (await readdir(env['SAIP_AUDIT_SPOOL'] ?? '')).length === 1);

    const key = newKey();
    const tree = new AuditTree(pools.sequencer);
    const sequencer = new Sequencer({
      store: tree,
      keys: () => Promise.resolve([key.key]),
      sign: key.sign,
      witness: new Witness(join(folder, 'witness.json')),
      pause: 10,
      checkpointPause: 10,
      onError: (error) => {
        throw error;
      },
    });
    await sequencer.drain();
    const { damage, checkpoint } = await verifyLog({ source: tree, keys: [key.key] });
    expect(damage).toBeUndefined();
    expect(checkpoint.size).toBeGreaterThanOrEqual(ENOUGH);
  }, 180_000);
});
