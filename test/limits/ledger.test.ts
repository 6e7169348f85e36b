import { describe, expect, it } from '@jest/globals';
import { UsageLedger, type UsageEntry, type UsageTotal } from '../../lib/limits/index.ts';

const account = { tenant: 'default', subject: 'ann', apiKey: '', model: 'm' };
const MIDNIGHT = Date.UTC(2026, 0, 2);

/** A store in memory that several ledgers share. */
function memory() {
  const entries: UsageEntry[] = [];
  let away = false;
  return {
    entries,
    setAway: (value: boolean) => (away = value),
    add: async (more: readonly UsageEntry[]) => {
      if (away) throw new Error('away');
      entries.push(...more);
    },
    totals: async (): Promise<UsageTotal[]> => {
      if (away) throw new Error('away');
      const keys = new Set(entries.map(({ subject, model }) => `${subject} ${model}`));
      return [...keys].map((key) => {
        const [subject = '', model = ''] = key.split(' ');
        const own = entries.filter((entry) => entry.subject === subject && entry.model === model);
        const sum = (list: UsageEntry[]): number => list.reduce((total, { rows }) => total + rows, 0);
        return {
          ...{ tenant: 'default', subject, model, window: sum(own) },
          today: sum(own.filter(({ day }) => day === '2026-01-01')),
        };
      });
    },
  };
}

const once = (rows: number) => ({ requests: 1, rows, refused: 0 });

describe('a usage ledger', () => {
  it('counts at once, and adds up over processes', async () => {
    const store = memory();
    const errors: unknown[] = [];
    const open = () => new UsageLedger({ store, onError: (error) => errors.push(error), now: () => MIDNIGHT - 1_000 });
    const [one, two] = [open(), open()];
    one.count(account, once(3));
    expect(one.used(account)).toEqual({ today: 3, window: 3 });
    two.count({ ...account, apiKey: 'k' }, once(4));
    await one.flush();
    await two.flush();
    expect(two.used(account)).toEqual({ today: 7, window: 7 });
    await one.flush();
    expect(one.used(account)).toEqual({ today: 7, window: 7 });
    expect(store.entries).toHaveLength(2);
    expect(errors).toEqual([]);
  });

  it('keeps its counts while the store is away, and writes each once', async () => {
    const store = memory();
    const errors: unknown[] = [];
    const ledger = new UsageLedger({ store, onError: (error) => errors.push(error), now: () => MIDNIGHT - 1_000 });
    store.setAway(true);
    ledger.count(account, once(5));
    await ledger.flush();
    ledger.count(account, once(1));
    expect(errors).toHaveLength(1);
    expect(ledger.used(account)).toEqual({ today: 6, window: 6 });
    store.setAway(false);
    await ledger.flush();
    await ledger.flush();
    expect(store.entries).toEqual([{ ...account, day: '2026-01-01', requests: 2, rows: 6, refused: 0 }]);
  });

  it('begins a new day at midnight UTC', () => {
    let now = MIDNIGHT - 1_000;
    const ledger = new UsageLedger({ store: memory(), onError: () => undefined, now: () => now });
    ledger.count(account, once(5));
    expect(ledger.untilTomorrow()).toBe(1);
    now = MIDNIGHT + 1;
    expect(ledger.used(account)).toEqual({ today: 0, window: 5 });
    ledger.count(account, once(2));
    expect(ledger.used(account)).toEqual({ today: 2, window: 7 });
  });
});
