import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { keepRetention, UsageLog } from '../../../lib/clients/index.ts';
import { createPrivateDatabase, type PrivateDatabase } from '../../support/private-database.ts';

const DAY_MS = 86_400_000;

let database: PrivateDatabase;
beforeAll(async () => {
  database = await createPrivateDatabase();
});
afterAll(() => database.drop());

/** UTC. */
const day = (past: number): string => new Date(Date.now() - past * DAY_MS).toISOString().slice(0, 10);

it('lets go of counts of days long gone, with the rights of the sequencer alone', async () => {
  const usage = new UsageLog(database.api);
  const account = { tenant: 'default', subject: 'ann', apiKey: '', model: 'm' };
  const entry = (past: number) => ({ ...account, day: day(past), requests: 1, rows: 10, refused: 0 });
  // Around midnight a day may be one further away than it was just now.
  await usage.add([entry(0), entry(38), entry(41), entry(399)]);
  const stop = new AbortController();
  const kept = new UsageLog(database.sequencer);
  let removed = 0;
  await keepRetention(
    async () => {
      removed = await kept.removeOlder(40);
      stop.abort();
    },
    { signal: stop.signal, onError: (error) => expect(error).toBeUndefined() },
  );
  expect(removed).toBe(2);
  expect(await usage.list({ tenant: 'default', days: 366 })).toMatchObject([
    { requests: 2, rows: 20, lastDay: day(0) },
  ]);
  await expect(new UsageLog(database.api).removeOlder(1)).rejects.toMatchObject({ name: 'DatabaseError' });
  await expect(kept.totals()).rejects.toMatchObject({ name: 'DatabaseError' });
});

it('goes on after a failure', async () => {
  const stop = new AbortController();
  const errors: unknown[] = [];
  await keepRetention(() => Promise.reject(new Error('away')), {
    signal: stop.signal,
    onError: (error) => {
      errors.push(error);
      stop.abort();
    },
  });
  expect(errors).toEqual([expect.objectContaining({ message: 'away' })]);
});
