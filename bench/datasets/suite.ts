import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Suite } from '../figure.ts';

const ROWS = 1_000_000;
const GROWTH_MIB = 160;

/** Reads a table of a million rows, in a process of its own. */
export const suite: Suite = {
  title: 'Tables that people add',
  async run(say) {
    say(`${ROWS.toLocaleString('en')} rows of six columns: made, then read twice`);
    const script = join(import.meta.dirname, 'read-many.ts');
    const args = ['--disable-warning=ExperimentalWarning', '--max-old-space-size=96', script, String(ROWS)];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const { bytes, growthMib, rows, rssMib, seconds } = JSON.parse(stdout) as Record<string, number>;
    if (growthMib === undefined || rssMib === undefined || seconds === undefined || bytes === undefined) {
      throw new Error(`the reader printed something else: ${stdout}`);
    }
    return [
      {
        what: 'memory that grows while a million rows are read',
        measured: `${growthMib.toFixed(0)} MiB`,
        target: `at most ${String(GROWTH_MIB)} MiB`,
        met: growthMib <= GROWTH_MIB,
        detail: `peak RSS ${rssMib.toFixed(0)} MiB; file of ${(bytes / 2 ** 20).toFixed(0)} MiB`,
      },
      {
        what: 'time to read and measure them',
        measured: `${seconds.toFixed(0)} s`,
        target: 'at most 300 s',
        met: seconds <= 300,
        detail: `${((rows ?? 0) / seconds / 1000).toFixed(0)},000 rows/s, twice, on one core`,
      },
    ];
  },
};
