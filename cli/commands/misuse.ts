import type { Command } from 'commander';
import type { ListFlagsOptions, ProtectOptions } from '../actions/misuse.ts';
import type { Io } from '../io.ts';
import type { OutputOptions } from '../render/output.ts';
import { amount, wholeNumber, withJson } from './options.ts';

export function registerMisuse(program: Command, io: Io): void {
  const group = program
    .command('misuse')
    .description('callers whose queries look like an attack on a model, and what models tell');

  withJson(
    group
      .command('list')
      .description('list flagged callers, newest first')
      .option('--subject <name>', 'only this caller')
      .option('--model <name>', 'only for this model')
      .option('--all', 'with flags that were lifted')
      .option('--page-token <token>', 'go on after the page that ended with it'),
  ).action(async (options: ListFlagsOptions) => {
    const { listFlags } = await import('../actions/misuse.ts');
    process.exitCode = await listFlags(io, options);
  });

  withJson(
    group
      .command('lift')
      .description('let a flagged caller go on; takes an administrator who is not the caller')
      .argument('<flag>', 'its number', wholeNumber(1))
      .requiredOption('--reason <text>', 'why; it is recorded'),
  ).action(async (flag: number, options: OutputOptions & { reason: string }) => {
    const { liftFlag } = await import('../actions/misuse.ts');
    process.exitCode = await liftFlag(io, flag, options);
  });

  withJson(
    group
      .command('protect')
      .description('set what a model tells and what happens to flagged callers; without a setting show it')
      .argument('<model>')
      .option('--role <role>', 'for callers with this role; default: for all')
      .option('--labels-only', 'tell the class, no probabilities')
      .option('--top-k <n>', 'tell the probabilities of so many classes', wholeNumber(1))
      .option('--decimals <n>', 'round to so many decimals', wholeNumber(0))
      .option('--temperature <t>', 'of the softmax; above 1 flattens probabilities', amount(0.05))
      .option('--on-flag <action>', 'observe, slow or stop a caller who is flagged')
      .option('--min-w <w>', "Shapiro-Wilk's W below which a caller is flagged; 0: never", amount(0))
      .option('--max-strange-share <share>', 'share of strange rows above which a caller is flagged', amount(0))
      .option('--out-of-range <action>', 'off, mark or refuse')
      .option('--clear', 'take away what was set'),
  ).action(async (model: string, options: ProtectOptions) => {
    const { protectModel } = await import('../actions/misuse.ts');
    process.exitCode = await protectModel(io, model, options);
  });
}
