import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import getPort from 'get-port';
import pg from 'pg';
import { postgresAccount, type Account } from '../../infra/local/postgres/account.ts';
import { loadToolchain } from '../../infra/local/toolchain.ts';
import { migrate } from '../../lib/clients/index.ts';
import { loadConfig } from '../../lib/config/index.ts';
import { readLogins } from './private-database.ts';
import { stackEnv } from './stack.ts';

const run = promisify(execFile);

/** A PostgreSQL server of a test's own, for what must not be done to a shared one. It has the stack's roles. */
export class PrivatePostgres {
  readonly port: number;
  readonly #folder: string;
  readonly #account: Account | undefined;
  #server: ChildProcess | undefined;

  private constructor(folder: string, port: number, account: Account | undefined) {
    this.#folder = folder;
    this.port = port;
    this.#account = account;
  }

  static async start(): Promise<PrivatePostgres> {
    const account = await postgresAccount();
    const folder = await mkdtemp(join(tmpdir(), 'saip-postgres-'));
    if (account) await chown(folder, account.uid, account.gid);
    const server = new PrivatePostgres(folder, await getPort(), account);
    await server.#create();
    return server;
  }

  async boot(): Promise<void> {
    const args = ['-D', join(this.#folder, 'data'), '-p', String(this.port), '-c', 'unix_socket_directories='];
    this.#server = spawn(join(loadToolchain().postgresBin, 'postgres'), args, {
      cwd: '/',
      stdio: 'ignore',
      ...this.#account,
    });
    for (let tries = 0; tries < 600; tries += 1) {
      const client = await this.#connect('postgres').catch(() => undefined);
      if (client !== undefined) return client.end();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('PostgreSQL does not start');
  }

  /** SIGKILL to the server; it recovers at its next start. */
  async kill(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    server.kill('SIGKILL');
    await once(server, 'exit');
  }

  async remove(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #create(): Promise<void> {
    const config = loadConfig('test', { ...stackEnv('worker-cpu'), SAIP_POSTGRES_PORT: String(this.port) });
    const { superuser, ...logins } = await readLogins(config);
    const passwordFile = join(this.#folder, 'password');
    await writeFile(passwordFile, superuser.password, { mode: 0o600 });
    if (this.#account) await chown(passwordFile, this.#account.uid, this.#account.gid);
    const args = ['-D', join(this.#folder, 'data'), '-U', superuser.username, `--pwfile=${passwordFile}`];
    await run(join(loadToolchain().postgresBin, 'initdb'), [...args, '-A', 'scram-sha-256', '-E', 'UTF8'], {
      cwd: '/',
      ...this.#account,
    });
    this.#login = superuser;
    await this.boot();
    const client = await this.#connect('postgres');
    for (const { username, password } of Object.values(logins)) {
      await client.query(`CREATE ROLE ${username} LOGIN PASSWORD ${pg.escapeLiteral(password)}`);
    }
    for (const role of ['saip_agents', 'saip_agent_reader', 'saip_lender']) await client.query(`CREATE ROLE ${role}`);
    await client.query(`CREATE DATABASE saip OWNER ${logins.owner.username}`);
    await client.end();
    await migrate({ config, credentials: logins.owner });
  }

  #login = { username: '', password: '' };

  async #connect(database: string): Promise<pg.Client> {
    const { username: user, password } = this.#login;
    const client = new pg.Client({ host: '127.0.0.1', port: this.port, database, user, password });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }
}
