import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { TableOptions } from '../../contracts/own-data.ts';
import { analyse } from '../../lib/datasets/index.ts';

// Analyses a table of as many rows as the first argument says; prints its figures as JSON. In a process of its own, so
// that its memory is its own.

const MIB = 2 ** 20;
const SAMPLE_MS = 50;
const rows = Number(process.argv[2]);

/** Numbers, categories and a label; no two rows are equal. */
function* lines(): Generator<string> {
  yield 'key,age,income,city,member,grade\n';
  for (let i = 0; i < rows; i++) {
    const u = (Math.imul(i, 2_654_435_761) >>> 0) / 2 ** 32;
    const v = (Math.imul(i + 7, 2_246_822_519) >>> 0) / 2 ** 32;
    const grade = u + v > 1 ? 'good' : 'bad';
    yield `${i},${18 + Math.floor(u * 60)},${(v * 80_000).toFixed(2)},city ${i % 300},${u > 0.7 ? 'yes' : 'no'},${grade}\n`;
  }
}

const folder = mkdtempSync(join(tmpdir(), 'saip-many-'));
const path = join(folder, 'many.csv');
await pipeline(Readable.from(lines()), createWriteStream(path));
const before = process.memoryUsage.rss();
let peak = before;
const timer = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), SAMPLE_MS);
const started = performance.now();
const { profile } = await analyse({ path, file: 'many.csv', options: TableOptions.parse({ target: 'grade' }) });
clearInterval(timer);
rmSync(folder, { recursive: true });
console.log(
  JSON.stringify({
    rows: profile.rows,
    bytes: profile.bytes,
    seconds: (performance.now() - started) / 1000,
    rssMib: peak / MIB,
    growthMib: (peak - before) / MIB,
  }),
);
