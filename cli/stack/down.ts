import type { Command } from 'commander';
import { shutDown } from '../../infra/local/index.ts';
import type { Io } from '../io.ts';
import { present } from '../render/output.ts';
import { saipHome } from '../client/stack-file.ts';

export function registerDown(program: Command, io: Io): void {
  program
    .command('down')
    .description('stop the embedded stack; its data stays')
    .option('--json', 'print the result as JSON')
    .action(async (options: { readonly json?: boolean }) => {
      const result = await shutDown(saipHome(io.env));
      present(io, options, result, ({ wasRunning, leftovers }) => {
        const swept = leftovers > 0 ? `, and ended ${leftovers} processes that were left over` : '';
        return wasRunning ? `Stopped${swept}.` : `The stack was not running${swept}.`;
      });
    });
}
