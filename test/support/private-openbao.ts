import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import getPort from 'get-port';
import { loadToolchain } from '../../infra/local/toolchain.ts';

const ROOT_TOKEN = 'test-root';

const POLICY = `
path "transit/*" { capabilities = ["create", "read", "update"] }
path "transit/sign/forbidden" { capabilities = ["deny"] }
path "secret/data/app" { capabilities = ["read"] }
path "secret/data/missing" { capabilities = ["read"] }
`;

/**
 * An OpenBao server of a test's own (in-memory storage), for what must not be done to a shared one: sealing, stopping,
 * revoking. It has kv-v2 at `secret`, transit and one AppRole, whose login it writes to `loginFile`.
 */
export class PrivateOpenBao {
  readonly address: string;
  readonly loginFile: string;
  readonly #folder: string;
  readonly #port: number;
  #server: ChildProcess | undefined;
  #unsealKey = '';

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.#port = port;
    this.address = `http://127.0.0.1:${port}`;
    this.loginFile = join(folder, 'login.json');
  }

  static async start(): Promise<PrivateOpenBao> {
    const server = new PrivateOpenBao(await mkdtemp(join(tmpdir(), 'saip-bao-')), await getPort());
    await server.startServer();
    return server;
  }

  /** Starts the server with empty storage and provisions it. */
  async startServer(): Promise<void> {
    const child = spawn(
      loadToolchain().bao,
      [
        'server',
        '-dev',
        '-dev-no-store-token',
        `-dev-root-token-id=${ROOT_TOKEN}`,
        `-dev-listen-address=127.0.0.1:${this.#port}`,
      ],
      { env: { HOME: this.#folder }, stdio: ['ignore', 'pipe', 'ignore'] },
    );
    this.#server = child;
    for await (const line of createInterface({ input: child.stdout })) {
      this.#unsealKey = /^Unseal Key: (\S+)/.exec(line)?.[1] ?? this.#unsealKey;
      if (line.startsWith('Root Token:')) break;
    }
    child.stdout.resume();
    await this.#provision();
  }

  async stopServer(): Promise<void> {
    const child = this.#server;
    this.#server = undefined;
    if (child === undefined || child.exitCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  async remove(): Promise<void> {
    await this.stopServer();
    await rm(this.#folder, { recursive: true, force: true });
  }

  seal(): Promise<unknown> {
    return this.root('PUT', 'sys/seal');
  }

  unseal(): Promise<unknown> {
    return this.root('PUT', 'sys/unseal', { key: this.#unsealKey });
  }

  /** Accessors of the tokens that the AppRole's logins hold now. */
  async logins(): Promise<string[]> {
    const list = (await this.root('LIST', 'auth/token/accessors')) as { data: { keys: string[] } };
    const logins: string[] = [];
    for (const accessor of list.data.keys) {
      const found = (await this.root('POST', 'auth/token/lookup-accessor', { accessor })) as { data: { path: string } };
      if (found.data.path === 'auth/approle/login') logins.push(accessor);
    }
    return logins;
  }

  async revoke(accessor: string): Promise<void> {
    await this.root('POST', 'auth/token/revoke-accessor', { accessor });
  }

  /** A request with the root token; undefined for an empty answer. */
  async root(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${this.address}/v1/${path}`, {
      method,
      headers: { 'X-Vault-Token': ROOT_TOKEN },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }

  async #provision(): Promise<void> {
    await this.root('POST', 'sys/mounts/transit', { type: 'transit' });
    await this.root('POST', 'sys/auth/approle', { type: 'approle' });
    await this.root('POST', 'transit/keys/models', { type: 'ecdsa-p256' });
    await this.root('POST', 'transit/keys/forbidden', { type: 'ecdsa-p256' });
    await this.root('POST', 'transit/keys/payloads', { type: 'aes256-gcm96' });
    await this.root('POST', 'secret/data/app', { data: { username: 'app', password: 'hunter2' } });
    await this.root('PUT', 'sys/policies/acl/app', { policy: POLICY });
    await this.root('POST', 'auth/approle/role/app', {
      token_policies: ['app'],
      token_ttl: '1h',
      token_max_ttl: '24h',
    });
    const role = (await this.root('GET', 'auth/approle/role/app/role-id')) as { data: { role_id: string } };
    const secret = (await this.root('POST', 'auth/approle/role/app/secret-id', {})) as { data: { secret_id: string } };
    const login = { roleId: role.data.role_id, secretId: secret.data.secret_id };
    writeFileSync(this.loginFile, JSON.stringify(login), { mode: 0o600 });
  }
}
