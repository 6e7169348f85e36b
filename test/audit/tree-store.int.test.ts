import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  FolderSource,
  Sequencer,
  Witness,
  exportLog,
  openCheckpoint,
  verifyLog,
  type Checkpoint,
  type Damage,
} from '../../lib/audit/index.ts';
import { AuditErasure, AuditLog, AuditTree, type Pool } from '../../lib/clients/index.ts';
import { createPrivateDatabase, type PrivateDatabase } from '../support/private-database.ts';
import { newKey } from './support/memory-log.ts';

const key = newKey();
let database: PrivateDatabase;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'saip-audit-'));
});
afterAll(() => rm(folder, { recursive: true }));

function sequencer(name = 'one', pool = database.sequencer): Sequencer {
  return new Sequencer({
    store: new AuditTree(pool),
    keys: () => Promise.resolve([key.key]),
    sign: key.sign,
    witness: new Witness(join(folder, `${database.config.postgres.database}-${name}.json`)),
    pause: 10,
    checkpointPause: 10,
    batch: 100,
    onError: (error) => {
      throw error;
    },
  });
}

/** `count` records, some of a client's own. */
async function append(count: number, actor = 'ann'): Promise<void> {
  const records = Array.from({ length: count }, (_, n) => ({
    id: crypto.randomUUID(),
    at: new Date(1_700_000_000_000 + n).toISOString(),
    actor,
    action: 'model:infer',
    subject: n % 50 === 0 ? `client:${actor}` : 'model:m/1',
    decision: 'allow',
    detail: { n: String(n) },
  }));
  await new AuditLog(database.worker).appendSpooled(JSON.stringify(records));
}

async function verified(
  kept?: Checkpoint,
  source = new AuditTree(database.api),
): Promise<{ damage?: Damage; erased: number; personal: number; size: number }> {
  const { damage, erased, personal, checkpoint } = await verifyLog({ source, keys: [key.key], kept });
  return { damage, erased, personal, size: checkpoint.size };
}

const triggers = (action: 'DISABLE' | 'ENABLE') =>
  ['audit_log', 'audit_leaves', 'audit_tiles', 'audit_checkpoints'].map(
    (t) => `ALTER TABLE ${t} ${action} TRIGGER USER`,
  );

/** What a person with the owner's password can do. */
async function asOwner(...statements: string[]): Promise<void> {
  for (const sql of [...triggers('DISABLE'), ...statements, ...triggers('ENABLE')]) await database.owner.query(sql);
}

/** The same, seen from inside a transaction that is rolled back afterwards. */
async function damageBy(statements: string, kept: Checkpoint): Promise<Damage | undefined> {
  const client = await database.owner.connect();
  try {
    await client.query(`BEGIN; ${triggers('DISABLE').join('; ')}; ${statements}`);
    const source = new AuditTree({ query: client.query.bind(client) } as unknown as Pool);
    return (await verified(kept, source)).damage;
  } finally {
    await client.query('ROLLBACK');
    client.release();
  }
}

describe('the tree over the audit log', () => {
  beforeAll(async () => {
    database = await createPrivateDatabase();
  });
  afterAll(() => database.drop());

  it('takes in what waits, in order, and goes on where it was left', async () => {
    await append(250);
    const first = await sequencer().drain();
    expect(first?.size).toBe(250);
    await append(30);
    await new AuditLog(database.api).append({ actor: 'bob', action: 'a', subject: 's', decision: 'allow', detail: {} });
    expect((await sequencer().drain())?.size).toBe(281);
    const log = new AuditLog(database.api);
    const leaves = await log.leaves(0, 300);
    expect(leaves.map(({ index }) => index)).toEqual(Array.from({ length: 281 }, (_, n) => n));
    expect(leaves.map(({ id }) => id)).toEqual(leaves.map(({ id }) => id).sort((a, b) => a - b));
    expect(await verified()).toEqual({ damage: undefined, erased: 0, personal: 281, size: 281 });
    expect(await new AuditTree(database.api).strays()).toEqual([]);
  });

  it('has each record once, however often it is sent', async () => {
    const record = {
      id: crypto.randomUUID(),
      at: new Date().toISOString(),
      actor: 'a',
      action: 'b',
      subject: 'c',
      decision: 'd',
      detail: {},
    };
    const log = new AuditLog(database.worker);
    await log.appendSpooled(JSON.stringify([record]));
    await log.appendSpooled(JSON.stringify([record, { ...record, id: crypto.randomUUID() }]));
    expect((await sequencer().drain())?.size).toBe(283);
  });

  it('is made by one of several sequencers at a time, while many append', async () => {
    const stop = new AbortController();
    const running = ['one', 'two', 'three'].map((name) => sequencer(name).run(stop.signal));
    await Promise.all(Array.from({ length: 20 }, () => append(40)));
    for (;;) {
      const { rows } = await database.owner.query('SELECT 1 FROM audit_pending');
      if (rows.length === 0) break;
    }
    stop.abort();
    await Promise.all(running);
    expect((await sequencer().drain())?.size).toBe(1083);
    expect((await verified()).damage).toBeUndefined();
  });

  it('goes on after its connections were cut', async () => {
    const worker = sequencer();
    await worker.drain();
    await append(20);
    await database.disconnect();
    for (;;) {
      const head = await worker.drain().catch(() => undefined);
      if (head?.size === 1103) break;
    }
    expect((await verified()).damage).toBeUndefined();
  });

  it('can be written to by nobody but the sequencer, and changed by no role', async () => {
    for (const role of ['api', 'worker'] as const) {
      for (const sql of [
        'INSERT INTO audit_leaves VALUES (9, 9, NULL)',
        'UPDATE audit_tiles SET hashes = hashes',
        'DELETE FROM audit_pending',
        "INSERT INTO audit_checkpoints VALUES (1, '')",
      ]) {
        await expect(database[role].query(sql)).rejects.toMatchObject({ code: '42501' });
      }
    }
    await expect(
      database.sequencer.query("UPDATE audit_tiles SET hashes = decode(repeat('00', 32), 'hex')"),
    ).rejects.toThrow('append-only');
    await expect(database.api.query("UPDATE audit_log SET actor = 'eve'")).rejects.toThrow('append-only');
  });

  it('lets personal data go, and its proofs stay', async () => {
    const { recordId, erased } = await new AuditErasure(database.api).erasePerson('ann', { by: 'root' });
    expect(erased).toBe(1100);
    await sequencer().drain();
    const after = await verified();
    expect(after).toMatchObject({ damage: undefined, erased: 1100 });
    const [leaf] = await new AuditLog(database.api).leaves(0, 1);
    expect(leaf).toMatchObject({ index: 0, action: 'model:infer', erasedBy: recordId });
    expect([leaf?.actor, leaf?.subject, leaf?.detail, leaf?.salt]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    const { rows } = await database.owner.query("SELECT 1 FROM audit_log WHERE audit_log::text LIKE '%ann%'");
    expect(rows).toEqual([]);
  });

  it('lets old personal data go', async () => {
    await append(10, 'old');
    await sequencer().drain();
    expect(await new AuditErasure(database.sequencer).eraseOlder(30)).toBe(10);
    expect(await new AuditErasure(database.sequencer).eraseOlder(30)).toBe(0);
    await sequencer().drain();
    expect((await verified()).damage).toBeUndefined();
  });

  it('reports an erasure that no record explains', async () => {
    await asOwner(
      `UPDATE audit_log SET actor = NULL, detail = NULL, salt = NULL, erased_at = now(), erased_by = gen_random_uuid()
       WHERE id = (SELECT record FROM audit_leaves WHERE leaf_index = 250 + 30)`,
    );
    expect((await verified()).damage).toMatchObject({ kind: 'erasure', index: 280 });
  });
});

describe('somebody with the password of the database', () => {
  let kept: Checkpoint;

  beforeAll(async () => {
    database = await createPrivateDatabase();
    await append(300);
    await sequencer().drain();
    await append(300);
    await sequencer().drain();
    kept = openCheckpoint(await new AuditTree(database.api).checkpoint(), [key.key]);
  });
  afterAll(() => database.drop());

  const swap = (sql: string) =>
    `CREATE TEMP TABLE moved AS SELECT * FROM audit_leaves; DELETE FROM audit_leaves; ${sql}`;

  it.each<[string, string, Partial<Damage>]>([
    ['edits a record', "UPDATE audit_log SET decision = 'deny' WHERE id = 418", { kind: 'edited', index: 417 }],
    ['edits who it was', "UPDATE audit_log SET actor = 'eve' WHERE id = 418", { kind: 'personal', index: 417 }],
    ['deletes a record', 'DELETE FROM audit_log WHERE id = 10', { kind: 'missing', index: 9 }],
    [
      'deletes a record and closes the gap',
      swap(
        'INSERT INTO audit_leaves SELECT leaf_index - (leaf_index > 9)::int, record, commitment FROM moved WHERE leaf_index <> 9',
      ),
      { kind: 'edited', index: 9 },
    ],
    [
      'inserts one',
      swap(`INSERT INTO audit_leaves SELECT leaf_index + (leaf_index >= 20)::int, record, commitment FROM moved;
        INSERT INTO audit_log (actor, action, subject, decision, detail) VALUES ('a', 'b', 'c', 'd', '{}');
        INSERT INTO audit_leaves SELECT 20, max(id), sha256('') FROM audit_log`),
      { kind: 'edited', index: 20 },
    ],
    [
      'puts two in another order',
      swap(
        'INSERT INTO audit_leaves SELECT CASE leaf_index WHEN 5 THEN 6 WHEN 6 THEN 5 ELSE leaf_index END, record, commitment FROM moved',
      ),
      { kind: 'edited', index: 5 },
    ],
    [
      'has one twice',
      swap(`ALTER TABLE audit_leaves DROP CONSTRAINT audit_leaves_record_key;
        INSERT INTO audit_leaves SELECT leaf_index + (leaf_index > 30)::int, record, commitment FROM moved;
        INSERT INTO audit_leaves SELECT 31, record, commitment FROM moved WHERE leaf_index = 30`),
      { kind: 'edited', index: 31 },
    ],
    ['cuts the end off', 'DELETE FROM audit_leaves WHERE leaf_index >= 590', { kind: 'missing', index: 590 }],
    [
      'cuts the end off together with its heads',
      'DELETE FROM audit_leaves WHERE leaf_index >= 300; DELETE FROM audit_checkpoints WHERE size > 300',
      { kind: 'shrunk', index: 300 },
    ],
  ])('who %s is found out', async (_, sql, damage) => {
    expect(await damageBy(sql, kept)).toMatchObject(damage);
  });

  it('changes nothing about a copy that was exported', async () => {
    const to = join(folder, 'export');
    await exportLog(new AuditTree(database.api), to, [key.key]);
    expect(await damageBy('DELETE FROM audit_leaves', kept)).toMatchObject({ kind: 'missing', index: 0 });
    const { damage, checkpoint } = await verifyLog({ source: new FolderSource(to), keys: [key.key], kept });
    expect({ damage, size: checkpoint.size }).toEqual({ damage: undefined, size: 600 });
  });

  it('who takes a record out of the queue leaves a stray', async () => {
    await append(1);
    await database.owner.query('DELETE FROM audit_pending');
    const [stray] = await new AuditTree(database.api).strays();
    const [newest] = await new AuditLog(database.api).entries({ limit: 1 });
    expect(stray).toBe(newest?.id);
    await database.owner.query('INSERT INTO audit_pending (ids) VALUES (ARRAY[$1::bigint])', [stray]);
    await sequencer().drain();
    expect(await new AuditTree(database.api).strays()).toEqual([]);
  });

  it('who rewrites everything and hashes it again is found out, and gets no signature', async () => {
    await asOwner(
      "UPDATE audit_log SET decision = 'deny' WHERE id = 418",
      'DELETE FROM audit_leaves',
      'DELETE FROM audit_tiles',
      'INSERT INTO audit_pending (ids) SELECT array_agg(id) FROM audit_log',
    );
    // A sequencer without a memory of its own still has the heads that were signed.
    await expect(sequencer('forgetful').drain()).rejects.toMatchObject({ code: 'AUDIT_LOG_TAMPERED' });
    expect((await verified(kept)).damage).toMatchObject({ kind: 'rewritten', index: 300, before: 600 });
  });

  it('who also destroys the signed heads is stopped by what the sequencer keeps beside the database', async () => {
    await asOwner(
      'DELETE FROM audit_leaves',
      'DELETE FROM audit_tiles',
      'DELETE FROM audit_checkpoints',
      'INSERT INTO audit_pending (ids) SELECT array_agg(id) FROM audit_log',
    );
    await expect(sequencer().drain()).rejects.toMatchObject({ code: 'AUDIT_LOG_TAMPERED' });
    // With the key as well, a fork can be signed; whoever kept a head sees it.
    await sequencer('forgetful').drain();
    expect((await verified()).damage).toBeUndefined();
    expect((await verified(kept)).damage).toMatchObject({ kind: 'rewritten', index: 0, before: 600 });
  });

  it('who cuts the end off and appends is found out, and gets no signature', async () => {
    await asOwner(
      'DELETE FROM audit_leaves WHERE leaf_index >= 590',
      'DELETE FROM audit_tiles WHERE level = 0 AND tile = 2',
      "INSERT INTO audit_tiles SELECT 0, 2, decode(repeat('11', 32 * 78), 'hex')",
    );
    await append(50);
    await expect(sequencer().drain()).rejects.toMatchObject({ code: 'AUDIT_LOG_TAMPERED' });
    expect((await verified(kept)).damage).toMatchObject({ index: 512 });
  });
});
