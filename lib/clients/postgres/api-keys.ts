import { z } from 'zod';
import { ApiKeyView } from '../../../contracts/api-keys.ts';
import type { Pool } from './pool.ts';
import { execute, iso, select, selectOne } from './query.ts';

const VerifiableKey = ApiKeyView.pick({
  id: true,
  owner: true,
  tenant: true,
  roles: true,
  actions: true,
  models: true,
}).extend({
  hash: z.string(),
  formerHash: z.string().optional(),
  /** This and the others: milliseconds since the epoch. */
  formerUntil: z.number().optional(),
  expiresAt: z.number(),
  revokedAt: z.number().optional(),
});
export type VerifiableKey = z.infer<typeof VerifiableKey>;

export interface NewApiKey extends Pick<
  ApiKeyView,
  'id' | 'name' | 'owner' | 'tenant' | 'roles' | 'actions' | 'models'
> {
  readonly hash: string;
  readonly expiresInDays: number;
}

const millis = (column: string): string => `extract(epoch FROM ${column})::float8 * 1000`;

const VIEW = `id, name, owner, tenant, roles, actions, models, ${iso('created_at')} AS "createdAt",
  ${iso('expires_at')} AS "expiresAt", ${iso('last_used_at')} AS "lastUsedAt", ${iso('rotated_at')} AS "rotatedAt",
  ${iso('former_until')} AS "formerUntil", ${iso('revoked_at')} AS "revokedAt"`;

const VERIFIABLE = `id, owner, tenant, roles, actions, models, hash, former_hash AS "formerHash",
  ${millis('former_until')} AS "formerUntil", ${millis('expires_at')} AS "expiresAt", ${millis('revoked_at')} AS "revokedAt"`;

/** API keys in PostgreSQL: keyed hashes, never keys. Every method throws DatabaseError. */
export class ApiKeys {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** With its hashes; for whoever verifies a key. */
  find(id: string): Promise<VerifiableKey | undefined> {
    return selectOne(this.#pool, VerifiableKey, `SELECT ${VERIFIABLE} FROM api_keys WHERE id = $1`, [id]);
  }

  view(id: string): Promise<ApiKeyView | undefined> {
    return selectOne(this.#pool, ApiKeyView, `SELECT ${VIEW} FROM api_keys WHERE id = $1`, [id]);
  }

  /** Newest first; those of one owner, or all of the tenant. */
  list({ tenant, owner }: { readonly tenant: string; readonly owner?: string }): Promise<ApiKeyView[]> {
    const sql = `SELECT ${VIEW} FROM api_keys WHERE tenant = $1 AND ($2::text IS NULL OR owner = $2)
      ORDER BY created_at DESC, id LIMIT 1000`;
    return select(this.#pool, ApiKeyView, sql, [tenant, owner ?? null]);
  }

  async add(key: NewApiKey): Promise<void> {
    const { id, name, owner, tenant, roles, actions, models, hash, expiresInDays } = key;
    await execute(
      this.#pool,
      `INSERT INTO api_keys (id, name, owner, tenant, roles, actions, models, hash, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, clock_timestamp() + make_interval(days => $9))`,
      [id, name, owner, tenant, roles, actions, models ?? null, hash, expiresInDays],
    );
  }

  /** @returns false where the key is unknown, revoked or expired */
  async rotate({ id, hash, overlapSeconds }: { id: string; hash: string; overlapSeconds: number }): Promise<boolean> {
    const sql = `UPDATE api_keys SET former_hash = hash, hash = $2, rotated_at = clock_timestamp(),
        former_until = clock_timestamp() + make_interval(secs => $3)
      WHERE id = $1 AND revoked_at IS NULL AND expires_at > clock_timestamp()`;
    return (await execute(this.#pool, sql, [id, hash, overlapSeconds])) > 0;
  }

  /** Ends the key and the one before its last rotation. A second time changes nothing. */
  async revoke(id: string): Promise<void> {
    const sql = 'UPDATE api_keys SET revoked_at = clock_timestamp() WHERE id = $1 AND revoked_at IS NULL';
    await execute(this.#pool, sql, [id]);
  }

  async used(id: string): Promise<void> {
    await execute(this.#pool, 'UPDATE api_keys SET last_used_at = clock_timestamp() WHERE id = $1', [id]);
  }
}
