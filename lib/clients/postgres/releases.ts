import { z } from 'zod';
import { ReleaseSummary } from '../../../contracts/release.ts';
import { DatabaseError } from './errors.ts';
import type { Pool } from './pool.ts';
import { execute, iso, lockModel, select, selectOne, transaction, type Queryable } from './query.ts';
import { parseVersion } from './version.ts';

const StoredRelease = ReleaseSummary.extend({ id: z.coerce.number(), runId: z.string() });
export type StoredRelease = z.infer<typeof StoredRelease>;

export type NewRelease = Omit<StoredRelease, 'id' | 'publishedAt'>;

const RELEASE = `SELECT id, model, version::text, digest, manifest_sha256 AS "manifestSha256",
  workflow_id AS "workflowId", run_id AS "runId", requested_by AS "requestedBy", approved_by AS "approvedBy",
  ${iso('published_at')} AS "publishedAt" FROM releases WHERE withdrawn_at IS NULL`;

/** Published releases in PostgreSQL; the withdrawn ones are kept, and not shown. Every method throws DatabaseError. */
export class Releases {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /**
   * Makes a release known: from here on it is published. The same run publishing the same manifest again gets what it
   * published.
   * @throws DatabaseError RELEASE_EXISTS, MODEL_VERSION_WITHDRAWN
   */
  publish(release: NewRelease): Promise<StoredRelease> {
    return transaction(this.#pool, async (client) => {
      await lockModel(client, release.model);
      const earlier = await inForce(client, release.model, release.version);
      if (earlier !== undefined) {
        if (earlier.manifestSha256 === release.manifestSha256) return earlier;
        throw exists(release);
      }
      await insert(client, release);
      const published = await inForce(client, release.model, release.version);
      if (published === undefined)
        throw new DatabaseError('DATABASE_REJECTED', 'The published release cannot be read.');
      return published;
    });
  }

  /** The release of a version, if it has one. */
  find(model: string, version: string): Promise<StoredRelease | undefined> {
    return inForce(this.#pool, model, version);
  }

  /** @throws DatabaseError RELEASE_UNKNOWN */
  async get(model: string, version: string): Promise<StoredRelease> {
    const found = await this.find(model, version);
    if (found !== undefined) return found;
    throw new DatabaseError('RELEASE_UNKNOWN', `Version ${version} of ${model} was not released.`);
  }

  /** Newest first. */
  list(page: { readonly model?: string; readonly before?: number; readonly limit: number }): Promise<StoredRelease[]> {
    return select(
      this.#pool,
      StoredRelease,
      `${RELEASE} AND ($1::text IS NULL OR model = $1) AND ($2::bigint IS NULL OR id < $2) ORDER BY id DESC LIMIT $3`,
      [page.model ?? null, page.before ?? null, page.limit],
    );
  }

  /** Takes back what a run published; what another run published stays. @returns whether there was anything */
  async withdraw(a: {
    readonly model: string;
    readonly version: string;
    readonly workflowId: string;
    readonly runId: string;
    readonly reason: string;
  }): Promise<boolean> {
    const changed = await execute(
      this.#pool,
      `UPDATE releases SET withdrawn_at = clock_timestamp(), withdrawn_reason = $5
       WHERE model = $1 AND version = $2 AND workflow_id = $3 AND run_id = $4 AND withdrawn_at IS NULL`,
      [a.model, parseVersion(a.model, a.version), a.workflowId, a.runId, a.reason],
    );
    return changed > 0;
  }
}

/** What is shown of it: without the row and the run. */
export function releaseSummary({ id: _id, runId: _runId, ...summary }: StoredRelease): ReleaseSummary {
  return summary;
}

function inForce(on: Queryable | Pool, model: string, version: string): Promise<StoredRelease | undefined> {
  const values = [model, parseVersion(model, version)];
  return selectOne(on, StoredRelease, `${RELEASE} AND model = $1 AND version = $2`, values);
}

/** A version that was withdrawn meanwhile, under the same lock, is not published. */
async function insert(client: Queryable, release: NewRelease): Promise<void> {
  const inserted = await execute(
    client,
    `INSERT INTO releases (model, version, digest, manifest_sha256, workflow_id, run_id, requested_by, approved_by)
     SELECT model, version, digest, $4, $5, $6, $7, $8 FROM model_versions
     WHERE model = $1 AND version = $2 AND digest = $3 AND withdrawn_at IS NULL`,
    [
      release.model,
      parseVersion(release.model, release.version),
      release.digest,
      release.manifestSha256,
      release.workflowId,
      release.runId,
      release.requestedBy,
      release.approvedBy ?? null,
    ],
  );
  if (inserted === 1) return;
  throw new DatabaseError('MODEL_VERSION_WITHDRAWN', `Version ${release.version} of ${release.model} was withdrawn.`);
}

function exists({ model, version }: NewRelease): DatabaseError {
  return new DatabaseError('RELEASE_EXISTS', `Version ${version} of ${model} is released already.`);
}
