import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { z } from 'zod';
import { BaoClient, createPool, migrate, type DatabaseCredentials, type Pool } from '../../lib/clients/index.ts';
import { loadConfig, type SaipConfig } from '../../lib/config/index.ts';
import { stackEnv, testHome } from './stack.ts';

const Credentials = z.object({ username: z.string(), password: z.string() });
const InitFile = z.object({ supervisor: z.object({ roleId: z.string(), secretId: z.string() }) });

/** A database of a test's own on the stack's server, with the platform's schema and the stack's roles. */
export interface PrivateDatabase {
  readonly config: SaipConfig;
  readonly credentials: Readonly<Record<'owner' | 'api' | 'worker' | 'sequencer', DatabaseCredentials>>;
  /** One pool for each role. */
  readonly owner: Pool;
  readonly api: Pool;
  readonly worker: Pool;
  readonly sequencer: Pool;
  /** Ends every connection to it, as a restart of the server would. */
  disconnect(): Promise<void>;
  drop(): Promise<void>;
}

export async function createPrivateDatabase(options: { readonly migrated?: boolean } = {}): Promise<PrivateDatabase> {
  const database = `test_${randomUUID().replaceAll('-', '')}`;
  const config = loadConfig('test', { ...stackEnv('worker-cpu'), SAIP_POSTGRES_DATABASE: database });
  const { superuser, owner, api, worker, sequencer } = await readLogins(config);
  const administrator = new pg.Client({ ...address(config), database: 'postgres', ...login(superuser) });
  await administrator.connect();
  await administrator.query(`CREATE DATABASE ${database} OWNER ${pg.escapeIdentifier(owner.username)}`);
  if (options.migrated ?? true) await migrate({ config, credentials: owner });
  const pools = {
    owner: createPool(config, owner),
    api: createPool(config, api),
    worker: createPool(config, worker),
    sequencer: createPool(config, sequencer),
  };
  return {
    config,
    credentials: { owner, api, worker, sequencer },
    ...pools,
    disconnect: async () => {
      await administrator.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [
        database,
      ]);
    },
    drop: async () => {
      await Promise.all(Object.values(pools).map((pool) => pool.end()));
      await administrator.query(`DROP DATABASE ${database} WITH (FORCE)`);
      await administrator.end();
    },
  };
}

function address({ postgres }: SaipConfig): { host: string; port: number } {
  return { host: postgres.host, port: postgres.port };
}

function login({ username, password }: DatabaseCredentials): { user: string; password: string } {
  return { user: username, password };
}

/** Only the supervisor may read the logins of the owner and the superuser. */
export async function readLogins(
  config: SaipConfig,
): Promise<Record<'superuser' | 'owner' | 'api' | 'worker' | 'sequencer', DatabaseCredentials>> {
  const folder = mkdtempSync(join(tmpdir(), 'saip-login-'));
  const loginFile = join(folder, 'supervisor.json');
  const { supervisor } = InitFile.parse(JSON.parse(readFileSync(join(testHome(), 'secrets', 'bao-init.json'), 'utf8')));
  writeFileSync(loginFile, JSON.stringify(supervisor), { mode: 0o600 });
  const bao = new BaoClient({ address: config.bao.address, loginFile });
  try {
    const read = async (name: string): Promise<DatabaseCredentials> =>
      Credentials.parse(await bao.kvRead(`saip/postgres/${name}`));
    return {
      superuser: await read('superuser'),
      owner: await read('owner'),
      api: await read('api'),
      worker: await read('worker-cpu'),
      sequencer: await read('sequencer'),
    };
  } finally {
    await bao.close();
    rmSync(folder, { recursive: true });
  }
}
