import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { appendFile, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { crc32 } from 'node:zlib';
import { Shipper, Spool, newRecordId, type SpooledRecord } from '../../lib/audit/index.ts';
import { until } from '../api/support/until.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'saip-spool-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const record = (n: number): SpooledRecord => ({
  id: newRecordId(),
  at: new Date().toISOString(),
  actor: 'ann',
  action: 'model:infer',
  subject: 'model:m/1',
  decision: 'allow',
  detail: { n: String(n) },
});
const open = (options: Partial<Parameters<typeof Spool.open>[0]> = {}) =>
  Spool.open({ root, limit: 1_000_000, sync: 'window', ...options });

/** A log that can be away, and keeps each record once, as the table does. */
class TestLog {
  readonly records = new Map<string, SpooledRecord>();
  away = false;
  sent = 0;
  send = (json: string): Promise<void> => {
    if (this.away) return Promise.reject(new Error('away'));
    for (const one of JSON.parse(json) as SpooledRecord[]) {
      this.records.set(one.id, one);
      this.sent += 1;
    }
    return Promise.resolve();
  };
  get numbers(): number[] {
    return [...this.records.values()].map(({ detail }) => Number(detail['n'])).sort((a, b) => a - b);
  }
}

const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

async function shipped<T>(log: TestLog, spool: Spool, work: (errors: unknown[]) => Promise<T>): Promise<T> {
  const errors: unknown[] = [];
  const shipper = new Shipper({ root, spool, send: log.send, onError: (error) => errors.push(error) });
  shipper.start();
  try {
    return await work(errors);
  } finally {
    log.away = false;
    await shipper.stop();
    await spool.close();
  }
}

describe.each(['window', 'each'] as const)('the spool (%s)', (sync) => {
  it('moves records into the log, in many segments, and leaves nothing behind', async () => {
    const log = new TestLog();
    const spool = await open({ sync, segment: 2_000 });
    await shipped(log, spool, async () => {
      await Promise.all(upTo(500).map((n) => spool.append(record(n))));
      await until('all are shipped', () => log.records.size === 500);
    });
    expect(log.numbers).toEqual(upTo(500));
    expect(log.sent).toBe(500);
    expect(await readdir(root)).toEqual([]);
  });
});

describe('the spool', () => {
  it('keeps what comes while the log is away, up to its limit, and refuses the rest', async () => {
    const log = new TestLog();
    log.away = true;
    const spool = await open({ limit: 20_000 });
    await shipped(log, spool, async (errors) => {
      const outcomes = await Promise.allSettled(upTo(300).map((n) => spool.append(record(n))));
      const kept = outcomes.filter(({ status }) => status === 'fulfilled').length;
      expect(kept).toBeGreaterThan(50);
      expect(kept).toBeLessThan(200);
      expect(outcomes.at(-1)).toMatchObject({ reason: { code: 'AUDIT_UNAVAILABLE' } });
      await until('a failure', () => errors.length > 0);
      log.away = false;
      await until('all are shipped', () => spool.backlog === 0);
      expect(log.numbers).toEqual(upTo(kept));
      await spool.append(record(999));
    });
    expect(log.numbers.at(-1)).toBe(999);
  });

  it('refuses when the disk does, and goes on when it can', async () => {
    const spool = await open();
    const log = new TestLog();
    await spool.append(record(0));
    // Segments cannot be made while something else has the name.
    await shipped(log, spool, async () => {
      await until('the first segment is gone', async () => (await readdir(spool.folder)).length === 1);
      await writeFile(join(spool.folder, '00000001.spool'), '');
      await expect(spool.append(record(1))).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
      await rm(join(spool.folder, '00000001.spool'));
      await spool.append(record(2));
    });
    expect(log.numbers).toEqual([0, 2]);
  });

  it('replaces what PostgreSQL could not hold', async () => {
    const log = new TestLog();
    const spool = await open();
    await shipped(log, spool, async () => {
      await spool.append({ ...record(0), actor: 'a\0b\ud800' });
      await until('it is shipped', () => log.records.size === 1);
    });
    expect([...log.records.values()][0]?.actor).toBe('a\ufffdb\ufffd');
  });

  it('makes ids that are ordered by time', () => {
    const ids = [1, 2, 3_000, 1_700_000_000_000].map(newRecordId);
    expect([...ids].sort()).toEqual(ids);
    expect(ids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});

const WRITER = `
import { Spool, newRecordId } from '${new URL('../../lib/audit/index.ts', import.meta.url).href}';
const spool = await Spool.open({ root: process.argv[1], limit: 1e8, sync: 'window', segment: 3000 });
for (let n = 0; ; n += 1) {
  await spool.append({ id: newRecordId(), at: new Date().toISOString(), actor: 'a', action: 'b', subject: 'c', decision: 'd', detail: { n: String(n) } });
  process.stdout.write(n + '\\n');
}`;

describe('what a killed process left', () => {
  it('is shipped by another one: everything it acknowledged, and no torn line', async () => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', WRITER, root], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let acknowledged = -1;
    for await (const line of createInterface({ input: child.stdout })) {
      acknowledged = Math.max(acknowledged, Number(line));
      if (acknowledged > 150 && !child.killed) child.kill('SIGKILL');
    }
    await until('it is gone', () => child.signalCode !== null);
    const [left = ''] = await readdir(root);
    const names = (await readdir(join(root, left))).filter((name) => name.endsWith('.spool')).sort();
    await appendFile(join(root, left, names.at(-1) ?? ''), '12345678 {"id":"torn');
    const log = new TestLog();
    const spool = await open();
    await shipped(log, spool, async (errors) => {
      await until('all are shipped', () => log.records.size > acknowledged);
      await until('it is cleared away', async () => (await readdir(root)).length === 1);
      expect(errors).toEqual([]);
    });
    expect(log.numbers.slice(0, acknowledged + 1)).toEqual(upTo(acknowledged + 1));
  });

  it('is kept where its middle is damaged, and the rest of it is shipped', async () => {
    const dead = await open();
    await dead.append(record(0));
    await dead.append(record(1));
    await dead.append(record(2));
    const file = join(dead.folder, '00000000.spool');
    await writeFile(join(dead.folder, 'owner.json'), JSON.stringify({ pid: 1, startTime: -1 }));
    await writeFile(file, (await readFile(file, 'utf8')).replace('"n":"1"', '"n":"7"'));
    const log = new TestLog();
    const spool = await open();
    await shipped(log, spool, async (errors) => {
      await until('the rest is shipped', () => log.records.size === 2);
      await until('damage is reported', () => errors.length === 1);
    });
    expect(log.numbers).toEqual([0, 2]);
    expect(await readdir(dead.folder)).toEqual(['00000000.spool.damaged']);
    await dead.close();
  });

  it('is read by its form: checksum, space, JSON, end of line', async () => {
    const dead = join(root, 'dead');
    const one = { ...record(0), actor: 'Zoë' };
    const json = JSON.stringify(one);
    await mkdir(dead);
    await writeFile(join(dead, '00000000.spool'), `${crc32(json).toString(16).padStart(8, '0')} ${json}\n`);
    const log = new TestLog();
    const spool = await open();
    await shipped(log, spool, async () => {
      await spool.append({ ...record(1), actor: 'Zoë' });
      await until('both are shipped', () => log.records.size === 2);
    });
    expect(log.records.get(one.id)).toEqual(one);
    expect([...log.records.values()].map(({ actor }) => actor)).toEqual(['Zoë', 'Zoë']);
  });

  it('is left alone while its process lives', async () => {
    const living = await open();
    await living.append(record(0));
    const log = new TestLog();
    const spool = await open();
    await shipped(log, spool, async () => {
      await spool.append(record(1));
      await until('its own is shipped', () => log.records.size === 1);
    });
    expect(log.numbers).toEqual([1]);
    await living.close();
  });
});
