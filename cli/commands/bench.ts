import type { Command } from 'commander';
import type { Io } from '../io.ts';

export function registerBench(program: Command, io: Io): void {
  program
    .command('bench')
    .description('measure against other implementations on this machine; the first run installs them')
    .argument('[suite...]', 'only these suites')
    .action(async (suites: readonly string[]) => {
      const { bench } = await import('../actions/bench.ts');
      process.exitCode = await bench(io, suites);
    });
}
