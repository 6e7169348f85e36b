import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { stackLayout } from '../../../infra/local/index.ts';
import { auditLog } from '../../../infra/local/openbao/server-config.ts';
import type { Pool } from '../../../lib/clients/index.ts';
import { openResources } from '../../../workers/shared/resources.ts';
import type { Resources } from '../../../workers/shared/resources.ts';
import type { ChaosStack } from './chaos-stack.ts';

const Row = z.record(z.string(), z.unknown());
const Login = z.object({
  type: z.literal('response'),
  request: z.object({ path: z.literal('auth/approle/login') }),
  auth: z.object({ token_ttl: z.number(), display_name: z.string() }),
});
/** Seconds after which the token of a process that died is worth nothing. */
const TOKEN_SECONDS = 20 * 60;

/** What PostgreSQL and OpenBao's audit log say, read with the login of the API. */
export class Records {
  readonly #stack: ChaosStack;
  readonly #resources: Resources;
  readonly #pool: Pool;

  private constructor(stack: ChaosStack, resources: Resources, pool: Pool) {
    this.#stack = stack;
    this.#resources = resources;
    this.#pool = pool;
  }

  static async open(stack: ChaosStack): Promise<Records> {
    const resources = openResources(stack.full.config('api'));
    return new Records(stack, resources, await resources.database());
  }

  close(): Promise<void> {
    return this.#resources.close();
  }

  /** Versions of a model, the first one first. */
  versions(model: string): Promise<unknown[]> {
    return this.#rows(
      `SELECT version, digest, workflow_id AS "workflowId", withdrawn_at IS NOT NULL AS withdrawn
       FROM model_versions WHERE model = $1 ORDER BY version`,
      [model],
    );
  }

  /** Every change of an alias as `[alias, version]`; null takes it away. */
  async aliases(model: string): Promise<unknown[]> {
    const rows = await this.#rows('SELECT alias, version FROM alias_log WHERE model = $1 ORDER BY id', [model]);
    return rows.map(({ alias, version }) => [alias, version]);
  }

  /** What workflows wrote to the audit log about a run and the rollout of its model, in alphabetical order. */
  async acts(workflowId: string, model: string): Promise<unknown[]> {
    const rows = await this.#rows(
      `SELECT action || ' ' || decision AS act FROM audit_log
       WHERE detail ->> 'workflowId' IN ($1, $2) ORDER BY act`,
      [workflowId, `rollout-${model}`],
    );
    return rows.map(({ act }) => act);
  }

  /** Requests to train under this name that were let in; each try of a client is one. */
  async starts(model: string): Promise<number> {
    const rows = await this.#rows(
      `SELECT id FROM audit_log WHERE action = 'workflow:start' AND decision = 'allow' AND detail ->> 'registerAs' = $1`,
      [model],
    );
    return rows.length;
  }

  /** Advisory locks that somebody holds. */
  locks(): Promise<unknown[]> {
    return this.#rows(`SELECT pid, objid FROM pg_locks WHERE locktype = 'advisory'`);
  }

  /** Logins of the database that OpenBao lent and did not take back: only tasks of agents borrow any. */
  borrowedLogins(): Promise<unknown[]> {
    return this.#rows(`SELECT rolname FROM pg_roles WHERE rolname LIKE 'v-%'`);
  }

  /** Logins whose token would outlive a killed process for long. */
  async longLoans(): Promise<string[]> {
    const lines = createInterface({ input: createReadStream(auditLog(stackLayout(this.#stack.home).logs)) });
    const long: string[] = [];
    for await (const line of lines) {
      const login = Login.safeParse(JSON.parse(line));
      if (login.success && login.data.auth.token_ttl > TOKEN_SECONDS) long.push(login.data.auth.display_name);
    }
    return long;
  }

  async #rows(sql: string, values: readonly unknown[] = []): Promise<Record<string, unknown>[]> {
    return this.#stack.persistently(async () => Row.array().parse((await this.#pool.query(sql, [...values])).rows));
  }
}
