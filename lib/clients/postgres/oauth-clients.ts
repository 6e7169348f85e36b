import { z } from 'zod';
import { Sha256 } from '../../../contracts/reference.ts';
import { Role } from '../../../contracts/roles.ts';
import type { Pool } from './pool.ts';
import { execute, select, selectOne } from './query.ts';

const OAuthClient = z.object({
  clientId: z.string(),
  /** Of a secret with at least 128 random bits. */
  secretSha256: Sha256,
  subject: z.string(),
  roles: z.array(Role),
  tenant: z.string(),
});
/** A program that may ask for tokens. */
export type OAuthClient = Readonly<z.infer<typeof OAuthClient>>;

const COLUMNS = `client_id AS "clientId", secret_sha256 AS "secretSha256", subject, roles, tenant`;

/** OAuth clients in PostgreSQL; the owner of the database writes them. Every method throws DatabaseError. */
export class OAuthClients {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  find(clientId: string): Promise<OAuthClient | undefined> {
    return selectOne(this.#pool, OAuthClient, `SELECT ${COLUMNS} FROM oauth_clients WHERE client_id = $1`, [clientId]);
  }

  list(): Promise<OAuthClient[]> {
    return select(this.#pool, OAuthClient, `SELECT ${COLUMNS} FROM oauth_clients ORDER BY client_id`);
  }

  /** Adds the client, or replaces what is stored of it. */
  async put(client: OAuthClient): Promise<void> {
    const { clientId, secretSha256, subject, roles, tenant } = OAuthClient.parse(client);
    await execute(
      this.#pool,
      `INSERT INTO oauth_clients (client_id, secret_sha256, subject, roles, tenant) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (client_id) DO UPDATE SET secret_sha256 = EXCLUDED.secret_sha256, subject = EXCLUDED.subject,
         roles = EXCLUDED.roles, tenant = EXCLUDED.tenant, updated_at = clock_timestamp()`,
      [clientId, secretSha256, subject, roles, tenant],
    );
  }

  /** @returns whether there was such a client */
  async remove(clientId: string): Promise<boolean> {
    return (await execute(this.#pool, 'DELETE FROM oauth_clients WHERE client_id = $1', [clientId])) > 0;
  }
}
