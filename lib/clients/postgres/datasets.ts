import { z } from 'zod';
import { AddedDataset } from '../../../contracts/own-data.ts';
import { DatabaseError } from './errors.ts';
import type { Pool } from './pool.ts';
import { execute, iso, select, selectOne, transaction, type Queryable } from './query.ts';

export type DatasetReferences = Pick<AddedDataset, 'card' | 'file' | 'profile'>;

export interface NewDataset extends Pick<AddedDataset, 'tenant' | 'name' | 'addedBy'> {
  /** Of the file, its schema and what was said of it. */
  readonly contentSha256: string;
  /** Writes what the version, whose number it names, consists of. Called for a new version only. */
  readonly write: (version: number) => Promise<DatasetReferences>;
}

const DATASET = `SELECT tenant, name, version, card, file, profile, added_by AS "addedBy", ${iso('added_at')} AS "addedAt",
  CASE WHEN withdrawn_at IS NOT NULL
    THEN json_build_object('at', ${iso('withdrawn_at')}, 'reason', withdrawn_reason) END AS withdrawn
  FROM datasets`;

/** Data sets that people added, in PostgreSQL. Every method throws DatabaseError. */
export class Datasets {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Notes that a tenant sent these bytes, now. */
  async noteUpload(upload: { tenant: string; sha256: string; bytes: number; uploadedBy: string }): Promise<void> {
    await execute(
      this.#pool,
      `INSERT INTO dataset_uploads (tenant, sha256, bytes, uploaded_by) VALUES ($1, $2, $3, $4)
       ON CONFLICT (tenant, sha256) DO UPDATE SET uploaded_at = clock_timestamp()`,
      [upload.tenant, upload.sha256, upload.bytes, upload.uploadedBy],
    );
  }

  /** Size of a file that this tenant sent, which counts as of use from now on. @throws DatabaseError DATASET_UPLOAD_UNKNOWN */
  async upload(tenant: string, sha256: string): Promise<{ bytes: number }> {
    const found = await selectOne(
      this.#pool,
      z.object({ bytes: z.coerce.number() }),
      'UPDATE dataset_uploads SET uploaded_at = clock_timestamp() WHERE tenant = $1 AND sha256 = $2 RETURNING bytes',
      [tenant, sha256],
    );
    if (found !== undefined) return found;
    throw new DatabaseError('DATASET_UPLOAD_UNKNOWN', `No file with SHA-256 ${sha256} was uploaded.`, {
      field: 'body.upload',
    });
  }

  /** Forgets files that were of no use for so many seconds and never became a data set. @returns what they were */
  removeUnused(seconds: number): Promise<{ sha256: string; bytes: number }[]> {
    return select(
      this.#pool,
      z.object({ sha256: z.string(), bytes: z.coerce.number() }),
      `DELETE FROM dataset_uploads AS sent WHERE uploaded_at < clock_timestamp() - make_interval(secs => $1)
       AND NOT EXISTS (SELECT FROM datasets AS made WHERE made.tenant = sent.tenant AND made.file ->> 'sha256' = sent.sha256)
       RETURNING sha256, bytes`,
      [seconds],
    );
  }

  /** Gives the data set its next version: 1, 2, 3, … The same content again gets the version it has. */
  add(dataset: NewDataset): Promise<{ dataset: AddedDataset; created: boolean }> {
    const { addedBy, contentSha256, name, tenant, write } = dataset;
    return transaction(this.#pool, async (client) => {
      await execute(client, 'SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [
        `saip:dataset:${tenant}:${name}`,
      ]);
      const earlier = await byContent(client, dataset);
      if (earlier !== undefined) return { dataset: earlier, created: false };
      const next = await selectOne(
        client,
        z.object({ version: z.int() }),
        'SELECT coalesce(max(version), 0) + 1 AS version FROM datasets WHERE tenant = $1 AND name = $2',
        [tenant, name],
      );
      const version = next?.version ?? 1;
      const { card, file, profile } = await write(version);
      await execute(
        client,
        `INSERT INTO datasets (tenant, name, version, content_sha256, card, file, profile, added_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
        [tenant, name, version, contentSha256, card, file, profile, addedBy],
      );
      const added = await byContent(client, dataset);
      if (added === undefined) throw new DatabaseError('DATABASE_REJECTED', 'The added data set cannot be read.');
      return { dataset: added, created: true };
    });
  }

  /** The newest version that was not withdrawn. */
  find(tenant: string, name: string): Promise<AddedDataset | undefined> {
    return selectOne(
      this.#pool,
      AddedDataset,
      `${DATASET} WHERE tenant = $1 AND name = $2 AND withdrawn_at IS NULL ORDER BY version DESC LIMIT 1`,
      [tenant, name],
    );
  }

  /** The newest version of each data set that is not withdrawn, by name. */
  list(tenant: string): Promise<AddedDataset[]> {
    return select(
      this.#pool,
      AddedDataset,
      `SELECT DISTINCT ON (name) * FROM (${DATASET} WHERE tenant = $1 AND withdrawn_at IS NULL) AS present
       ORDER BY name, version DESC`,
      [tenant],
    );
  }

  /** Takes every version out of use. A second time changes nothing. @returns how many there were */
  withdraw(tenant: string, name: string, reason: string): Promise<number> {
    return execute(
      this.#pool,
      `UPDATE datasets SET withdrawn_at = clock_timestamp(), withdrawn_reason = $3
       WHERE tenant = $1 AND name = $2 AND withdrawn_at IS NULL`,
      [tenant, name, reason],
    );
  }
}

function byContent(client: Queryable, { contentSha256, name, tenant }: NewDataset): Promise<AddedDataset | undefined> {
  return selectOne(
    client,
    AddedDataset,
    `${DATASET} WHERE tenant = $1 AND name = $2 AND content_sha256 = $3 AND withdrawn_at IS NULL`,
    [tenant, name, contentSha256],
  );
}
