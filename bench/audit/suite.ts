import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeStack } from '../../infra/local/index.ts';
import { startTestStack, TEST_HOME } from '../../test/support/stack-process.ts';
import { createPrivateDatabase } from '../../test/support/private-database.ts';
import type { Figure, Suite } from '../figure.ts';
import { inBatches, oneByOne, throughTree } from './contestants.ts';

const RECORDS = 100_000;
/** One by one is slow: fewer are enough to know how slow. */
const FEW = 3_000;
const GOAL = 20_000;

/** The audit log against plain inserts into the same kind of table, on one server in one run. */
export const suite: Suite = {
  title: 'audit log: spool → PostgreSQL → Merkle tree, against inserts without a tree',
  async run(say) {
    say('PostgreSQL starts');
    const home = await startTestStack(['postgres']);
    process.env[TEST_HOME] = home;
    const folder = await mkdtemp(join(tmpdir(), 'saip-bench-'));
    const database = await createPrivateDatabase();
    try {
      say(`${RECORDS} records in batches of 1,000, without a tree`);
      const batches = await inBatches(database, RECORDS);
      say(`${FEW} records one by one, ten connections`);
      const single = await oneByOne(database, FEW);
      say(`${RECORDS} records through spool and tree`);
      const { rate, spoolRate, nodeUs, postgresUs } = await throughTree(database, { folder, count: RECORDS });
      const cpu = `processor time a record: ${nodeUs.toFixed(0)} µs in Node, ${postgresUs.toFixed(0)} µs in PostgreSQL`;
      return [
        figure('records a second into the tree', rate, GOAL, `${RECORDS} records, 256 writers; ${cpu}`),
        ratio('against batched inserts without a tree', rate / batches, 0.4, `${Math.round(batches)} a second`),
        ratio('against inserts one by one', rate / single, 3, `${Math.round(single)} a second, ten connections`),
        figure('records a second into the spool', spoolRate, GOAL, 'until a kill cannot lose them'),
      ];
    } finally {
      await database.drop();
      await removeStack(home);
      await rm(home, { recursive: true, force: true });
      await rm(folder, { recursive: true, force: true });
    }
  },
};

function figure(what: string, rate: number, goal: number, detail: string): Figure {
  return { what, measured: `${Math.round(rate)}`, target: `≥ ${goal}`, met: rate >= goal, detail };
}

function ratio(what: string, measured: number, goal: number, detail: string): Figure {
  return { what, measured: `${measured.toFixed(2)} ×`, target: `≥ ${goal} ×`, met: measured >= goal, detail };
}
