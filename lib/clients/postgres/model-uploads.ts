import { z } from 'zod';
import { DatabaseError } from './errors.ts';
import type { Pool } from './pool.ts';
import { execute, selectOne } from './query.ts';

/** ONNX files that tenants sent, in PostgreSQL. Every method throws DatabaseError. */
export class ModelUploads {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Notes that a tenant sent these bytes. A second time changes nothing. */
  async note(upload: { tenant: string; sha256: string; bytes: number; uploadedBy: string }): Promise<void> {
    await execute(
      this.#pool,
      `INSERT INTO model_uploads (tenant, sha256, bytes, uploaded_by) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
      [upload.tenant, upload.sha256, upload.bytes, upload.uploadedBy],
    );
  }

  /** Size of a file that this tenant sent. @throws DatabaseError MODEL_UPLOAD_UNKNOWN */
  async find(tenant: string, sha256: string): Promise<{ bytes: number }> {
    const found = await selectOne(
      this.#pool,
      z.object({ bytes: z.coerce.number() }),
      'SELECT bytes FROM model_uploads WHERE tenant = $1 AND sha256 = $2',
      [tenant, sha256],
    );
    if (found !== undefined) return found;
    throw new DatabaseError('MODEL_UPLOAD_UNKNOWN', `No model with SHA-256 ${sha256} was uploaded.`, {
      field: 'body.upload',
    });
  }
}
