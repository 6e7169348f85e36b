import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { Shipper, Spool, newRecordId, parseVerifierKey, verifyLog, type SpooledRecord } from '../../lib/audit/index.ts';
import { AuditLog, AuditTree } from '../../lib/clients/index.ts';
import { cpuTime } from './cpu.ts';
import type { PrivateDatabase } from '../../test/support/private-database.ts';

const WRITERS = 256;
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
  const row = (n: number): string =>
    `(${Array.from({ length: 8 }, (_, column) => `$${8 * n + column + 1}`).join(',')})`;
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

export interface ThroughTree {
  /** Records a second into the tree, and into the spool. */
  readonly rate: number;
  readonly spoolRate: number;
  /** Microseconds of processor time a record: spool, shipper, sequencer and this benchmark's own; and the database's. */
  readonly nodeUs: number;
  readonly postgresUs: number;
}

/** From the first append until the last record is a leaf under a signed head; the sequencer in a thread, spool and shipper here. */
export async function throughTree(
  { api, sequencer: pool, config, credentials }: PrivateDatabase,
  { folder, count }: { readonly folder: string; readonly count: number },
): Promise<ThroughTree> {
  const failures: unknown[] = [];
  const workerData = { config, credentials: credentials.sequencer, folder };
  const sequencer = new Worker(new URL('./sequencer-thread.ts', import.meta.url), { workerData });
  const [key] = (await once(sequencer, 'message')) as [string];
  const root = join(folder, 'spool');
  const spool = await Spool.open({ root, limit: 1024 ** 3, sync: 'window' });
  const log = new AuditLog(api);
  const send = (json: string): Promise<void> => log.appendSpooled(json);
  const shipper = new Shipper({ root, spool, send, onError: (error) => failures.push(error) });

  const before = await cpuTime(pool);
  const startedAt = performance.now();
  shipper.start();
  let next = 0;
  const write = async (): Promise<void> => {
    while (next < count) await spool.append(record(next++));
  };
  await Promise.all(Array.from({ length: WRITERS }, write));
  const spoolRate = rateOf(count, startedAt);
  while (spool.backlog > 0) await delay(5);
  sequencer.postMessage('drain');
  const [size] = (await once(sequencer, 'message')) as [number];
  const rate = rateOf(count, startedAt);
  const after = await cpuTime(pool);

  await Promise.all([shipper.stop(), once(sequencer, 'exit')]);
  await spool.close();
  const { damage } = await verifyLog({ source: new AuditTree(pool), keys: [parseVerifierKey(key)] });
  if (size !== count || damage !== undefined || failures.length > 0) {
    throw new Error('the log is not whole', { cause: failures[0] ?? damage });
  }
  const each = (seconds: number): number => (1e6 * seconds) / count;
  return {
    ...{ rate, spoolRate },
    nodeUs: each(after.node - before.node),
    postgresUs: each(after.postgres - before.postgres),
  };
}

function rateOf(count: number, startedAt: number): number {
  return (1000 * count) / (performance.now() - startedAt);
}
