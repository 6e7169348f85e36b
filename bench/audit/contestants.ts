import { generateKeyPairSync, sign } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  Sequencer,
  Shipper,
  Spool,
  Witness,
  newRecordId,
  noteKey,
  verifyLog,
  type SpooledRecord,
} from '../../lib/audit/index.ts';
import { AuditLog, AuditTree } from '../../lib/clients/index.ts';
import type { PrivateDatabase } from '../../test/support/private-database.ts';

const WRITERS = 64;
const BATCH = 1_000;

function record(n: number): SpooledRecord {
  return {
    id: newRecordId(),
    at: new Date().toISOString(),
    actor: `client-${n % 20}`,
    action: 'model:infer',
    subject: 'model:mnist-cnn/3',
    decision: 'allow',
    traceId: n.toString(16).padStart(32, '0'),
    detail: {
      asked: '/v2/models/mnist-cnn/infer',
      latencyMs: '0.412',
      digest: 'a'.repeat(64),
      inputDigest: n.toString(16).padStart(64, '0'),
      output: 'probabilities FP32[1,10] 7:0.9981',
    },
  };
}

/** The columns and indexes of the audit log before there was a tree. */
const PLAIN = `CREATE TABLE plain_log (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, record_id uuid UNIQUE,
  at timestamptz, actor text, action text, subject text, decision text, trace_id text, detail jsonb);
  CREATE INDEX ON plain_log (actor, id DESC); CREATE INDEX ON plain_log (subject, id DESC)`;

const valuesOf = (r: SpooledRecord): unknown[] => [
  r.id,
  r.at,
  r.actor,
  r.action,
  r.subject,
  r.decision,
  r.traceId,
  JSON.stringify(r.detail),
];

/** @returns records a second */
export async function inBatches({ owner }: PrivateDatabase, count: number): Promise<number> {
  await owner.query(PLAIN);
  const records = Array.from({ length: count }, (_, n) => record(n));
  const row = (n: number): string => `(${Array.from({ length: 8 }, (_, column) => `$${8 * n + column + 1}`).join(',')})`;
  const rows = Array.from({ length: BATCH }, (_, n) => row(n)).join(',');
  const startedAt = performance.now();
  for (let first = 0; first < count; first += BATCH) {
    await owner.query(
      `INSERT INTO plain_log (record_id, at, actor, action, subject, decision, trace_id, detail) VALUES ${rows}`,
      records.slice(first, first + BATCH).flatMap(valuesOf),
    );
  }
  return rateOf(count, startedAt);
}

/** @returns records a second */
export async function oneByOne({ owner }: PrivateDatabase, count: number): Promise<number> {
  const startedAt = performance.now();
  let next = 0;
  await Promise.all(
    Array.from({ length: 10 }, async () => {
      while (next < count) {
        next += 1;
        await owner.query(
          `INSERT INTO plain_log (record_id, at, actor, action, subject, decision, trace_id, detail)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
          valuesOf(record(next)),
        );
      }
    }),
  );
  return rateOf(count, startedAt);
}

/** From the first append until the last record is a leaf under a signed head, all in this one process. */
export async function throughTree(
  { api, sequencer: pool }: PrivateDatabase,
  { folder, count }: { readonly folder: string; readonly count: number },
): Promise<{ rate: number; spoolRate: number }> {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const key = noteKey('bench/audit', Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url'));
  const tree = new AuditTree(pool);
  const failures: unknown[] = [];
  const onError = (error: unknown): number => failures.push(error);
  const sequencer = new Sequencer({
    store: tree,
    keys: () => Promise.resolve([key]),
    sign: (text) => Promise.resolve(sign(undefined, text, privateKey)),
    witness: new Witness(join(folder, 'witness.json')),
    pause: 10,
    checkpointPause: 1_000,
    onError,
  });
  const root = join(folder, 'spool');
  const spool = await Spool.open({ root, limit: 1024 ** 3, sync: 'window' });
  const log = new AuditLog(api);
  const shipper = new Shipper({ root, spool, send: (json) => log.appendSpooled(json), onError });
  const stop = new AbortController();

  const startedAt = performance.now();
  shipper.start();
  const running = sequencer.run(stop.signal);
  let next = 0;
  const write = async (): Promise<void> => {
    while (next < count) await spool.append(record(next++));
  };
  await Promise.all(Array.from({ length: WRITERS }, write));
  const spoolRate = rateOf(count, startedAt);
  while (spool.backlog > 0) await delay(5);
  stop.abort();
  await running;
  const head = await sequencer.drain();
  const rate = rateOf(count, startedAt);

  await shipper.stop();
  await spool.close();
  const { damage } = await verifyLog({ source: tree, keys: [key] });
  if (head?.size !== count || damage !== undefined || failures.length > 0) {
    throw new Error('the log is not whole', { cause: failures[0] ?? damage });
  }
  return { rate, spoolRate };
}

function rateOf(count: number, startedAt: number): number {
  return (1000 * count) / (performance.now() - startedAt);
}
