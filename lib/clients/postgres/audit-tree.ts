import { z } from 'zod';
import {
  AuditError,
  HASH_BYTES,
  TILE_WIDTH,
  TileBuilder,
  commit,
  encodeBundle,
  encodeLeaf,
  leafHash,
  leafText,
  type Checkpoint,
  type LogSource,
  type PersonalState,
  type Tile,
  type TreeHead,
  type TreeStore,
} from '../../audit/index.ts';
import { AuditRow, LEAF_COLUMNS, leafOf } from './audit-rows.ts';
import type { Pool } from './pool.ts';
import { execute, iso, select, selectOne, transaction, type Queryable } from './query.ts';

const LOCK = 'saip:audit:sequencer';

const Size = z.object({ size: z.coerce.number() });
const Hashes = z.object({ hashes: z.instanceof(Buffer) });
const Note = z.object({ note: z.string() });

/**
 * The Merkle tree over the audit log, in PostgreSQL. Its sequencing needs the role `saip_sequencer`; reading works with
 * the role of the API as well. Every method throws DatabaseError.
 */
export class AuditTree implements TreeStore, LogSource {
  readonly #pool: Pool;
  /** The right edge as of the last transaction of this process; undefined when that is not known. */
  #builder: TileBuilder | undefined;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /**
   * The lock is of the transaction that writes, so two candidates cannot both write, and nothing of a batch is left when
   * the process is killed in it.
   */
  async sequence(limit: number): Promise<{ head: TreeHead; taken: number } | undefined> {
    const before = this.#builder;
    this.#builder = undefined;
    return transaction(this.#pool, async (client) => {
      if (!(await tryLock(client))) return undefined;
      const { size } = (await selectOne(client, Size, HEAD)) ?? { size: 0 };
      const builder = before?.size === size ? before : new TileBuilder(size, await edgeOf(client, size));
      const rows = await take(client, limit);
      const commitments = rows.map((row) => place(builder, row));
      if (rows.length > 0) {
        const ids = rows.map(({ id }) => id);
        await execute(client, ADD_LEAVES, [size, ids, Buffer.concat(commitments)]);
        await storeTiles(client, builder);
      }
      this.#builder = builder;
      return { head: { size: builder.size, root: builder.root() }, taken: rows.length };
    }).catch((error: unknown) => {
      // What the transaction would have made is not there.
      this.#builder = undefined;
      throw error;
    });
  }

  async tile({ level, index, width }: Tile): Promise<Uint8Array | undefined> {
    const sql = 'SELECT substring(hashes FROM 1 FOR $3) AS hashes FROM audit_tiles WHERE level = $1 AND tile = $2';
    const found = await selectOne(this.#pool, Hashes, sql, [level, index, width * HASH_BYTES]);
    return found?.hashes.length === width * HASH_BYTES ? found.hashes : undefined;
  }

  /** Ends before the first leaf that is not there. */
  async entries(index: number, width: number): Promise<Uint8Array> {
    const rows = await this.#rows(index, width);
    const missing = rows.findIndex((row) => row === undefined);
    const whole = (missing < 0 ? rows : rows.slice(0, missing)) as AuditRow[];
    return encodeBundle(whole.map((row) => encodeLeaf(leafOf(row), Buffer.from(row.commitment, 'hex'))));
  }

  async personal(index: number, width: number): Promise<(PersonalState | undefined)[]> {
    return (await this.#rows(index, width)).map((row) => row && stateOf(row));
  }

  async newestCheckpoint(): Promise<string | undefined> {
    const sql = 'SELECT note FROM audit_checkpoints ORDER BY size DESC LIMIT 1';
    return (await selectOne(this.#pool, Note, sql))?.note;
  }

  /** @throws AuditError AUDIT_RANGE_UNKNOWN before the first head was signed */
  async checkpoint(): Promise<string> {
    const note = await this.newestCheckpoint();
    if (note !== undefined) return note;
    throw new AuditError('AUDIT_RANGE_UNKNOWN', 'No head of the audit log has been signed yet.');
  }

  /** The newest thousand, smallest first. */
  async checkpoints(): Promise<string[]> {
    const sql = `SELECT note FROM (SELECT size, note FROM audit_checkpoints ORDER BY size DESC LIMIT 1000) newest
      ORDER BY size`;
    return (await select(this.#pool, Note, sql)).map(({ note }) => note);
  }

  async saveCheckpoint({ size, note }: Checkpoint): Promise<void> {
    const sql = 'INSERT INTO audit_checkpoints (size, note) VALUES ($1, $2) ON CONFLICT DO NOTHING';
    await execute(this.#pool, sql, [size, note]);
  }

  /** Records that are in no leaf and wait for none, so that no proof will ever speak of them; the first few. */
  async strays(): Promise<number[]> {
    const sql = `SELECT id::float8 AS size FROM audit_log l
      WHERE NOT EXISTS (SELECT FROM audit_leaves WHERE record = l.id)
      AND NOT EXISTS (SELECT FROM audit_pending CROSS JOIN unnest(ids) AS pending (id) WHERE pending.id = l.id)
      ORDER BY id LIMIT 10`;
    return (await select(this.#pool, Size, sql)).map(({ size }) => size);
  }

  /** One place for each leaf of the range; what the tables do not hold is absent. */
  async #rows(index: number, width: number): Promise<(AuditRow | undefined)[]> {
    const first = index * TILE_WIDTH;
    const sql = `SELECT leaf_index::float8 AS "index", ${LEAF_COLUMNS} FROM audit_leaves
      JOIN audit_log ON audit_log.id = record WHERE leaf_index >= $1 AND leaf_index < $2`;
    const rows = await select(this.#pool, AuditRow, sql, [first, first + width]);
    const places = new Array<AuditRow | undefined>(width).fill(undefined);
    for (const row of rows) places[row.index - first] = row;
    return places;
  }
}

const HEAD = 'SELECT coalesce(max(leaf_index) + 1, 0)::float8 AS size FROM audit_leaves';

const ADD_LEAVES = `INSERT INTO audit_leaves (leaf_index, record, commitment)
  SELECT $1::bigint + place - 1, id, substring($3::bytea FROM (place::int - 1) * ${HASH_BYTES} + 1 FOR ${HASH_BYTES})
  FROM unnest($2::bigint[]) WITH ORDINALITY AS leaf (id, place)`;

/** A record that waits: `id` as text, the rest as the leaf needs it. */
interface Waiting {
  readonly id: string;
  readonly record: string;
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly decision: string;
  readonly traceId: string | null;
  readonly detail: Readonly<Record<string, string>>;
  readonly salt: Buffer;
}

/** Whole statements, the oldest first, until there are `limit` records of them; the last may bring more. */
const TAKE = `WITH first AS (SELECT batch, cardinality(ids) AS count FROM audit_pending ORDER BY batch LIMIT $1),
  wanted AS (SELECT batch, sum(count) OVER (ORDER BY batch) - count AS before FROM first),
  taken AS (
    DELETE FROM audit_pending WHERE batch IN (SELECT batch FROM wanted WHERE before < $1) RETURNING ids
  )
  SELECT id::text, record_id::text AS record, ${iso('at')} AS at, actor, action, subject, decision,
    trace_id AS "traceId", detail, salt
  FROM taken CROSS JOIN unnest(ids) AS pending (id) JOIN audit_log USING (id) ORDER BY audit_log.id`;

/** The oldest that wait, off the queue. */
async function take(client: Queryable, limit: number): Promise<Waiting[]> {
  return (await client.query<Waiting>(TAKE, [limit])).rows;
}

/** @returns the commitment to the personal part */
function place(builder: TileBuilder, { record: id, traceId, ...rest }: Waiting): Buffer {
  const record = { ...rest, id, traceId: traceId ?? undefined };
  const commitment = commit(record, rest.salt);
  builder.append(leafHash(leafText(record, commitment.toString('hex'))));
  return commitment;
}

async function storeTiles(client: Queryable, builder: TileBuilder): Promise<void> {
  const tiles = builder.changes();
  await execute(
    client,
    `INSERT INTO audit_tiles (level, tile, hashes) SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::bytea[])
     ON CONFLICT (level, tile) DO UPDATE SET hashes = EXCLUDED.hashes`,
    [tiles.map(({ level }) => level), tiles.map(({ index }) => index), tiles.map(({ hashes }) => hashes)],
  );
}

const EdgeTile = z.object({ level: z.int(), index: z.number(), hashes: z.instanceof(Buffer) });

/** The partial tiles of a tree. */
function edgeOf(client: Queryable, size: number): Promise<z.infer<typeof EdgeTile>[]> {
  const levels: number[] = [];
  const indexes: number[] = [];
  for (let level = 0, hashes = size; hashes > 0; level += 1, hashes = Math.floor(hashes / TILE_WIDTH)) {
    if (hashes % TILE_WIDTH === 0) continue;
    levels.push(level);
    indexes.push(Math.floor(hashes / TILE_WIDTH));
  }
  return select(
    client,
    EdgeTile,
    `SELECT level, tile::float8 AS "index", hashes FROM audit_tiles
     WHERE (level, tile) IN (SELECT * FROM unnest($1::smallint[], $2::bigint[]))`,
    [levels, indexes],
  );
}

async function tryLock(client: Queryable): Promise<boolean> {
  const Locked = z.object({ locked: z.boolean() });
  const sql = 'SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS locked';
  return (await selectOne(client, Locked, sql, [LOCK]))?.locked === true;
}

function stateOf(row: AuditRow): PersonalState {
  if (row.erasedBy !== undefined) return { erasedBy: row.erasedBy };
  const { actor = '', detail = {}, subject = '', salt = '', traceId } = row;
  const record = { ...leafOf(row), actor, detail, subject, traceId };
  return { record, salt: Buffer.from(salt, 'hex') };
}
