import type { Command } from 'commander';
import type { SuggestOptions } from '../actions/budgets.ts';
import type { CallerOptions, SetLimitOptions, UsageOptions } from '../actions/limits.ts';
import type { Io } from '../io.ts';
import type { OutputOptions } from '../render/output.ts';
import { amount, wholeNumber, withJson } from './options.ts';

export function registerLimits(program: Command, io: Io): void {
  const group = program.command('limits').description('how much callers may ask of models, and what they asked');

  withJson(group.command('list').description('list limits, the most specific first')).action(
    async (options: OutputOptions) => {
      const { listLimits } = await import('../actions/limits.ts');
      process.exitCode = await listLimits(io, options);
    },
  );

  withJson(
    withCaller(group.command('set').description('set a limit; without a caller for everybody'))
      .option('--rate <n>', 'requests a second; 0: no limit', amount(0))
      .option('--burst <n>', 'requests that may come at once', wholeNumber(1))
      .option('--daily-rows <n>', 'rows in a day (UTC), over all processes; 0: no limit', wholeNumber(0))
      .option('--budget-rows <n>', 'rows in 30 days from which on the caller is flagged; 0: never', wholeNumber(0)),
  ).action(async (options: SetLimitOptions) => {
    const { setLimit } = await import('../actions/limits.ts');
    process.exitCode = await setLimit(io, options);
  });

  withJson(
    withWho(
      group
        .command('suggest')
        .description('the query budget that the newest curve of saip attack extract suggests')
        .argument('<model>', 'name in the registry'),
    )
      .option('--threshold <share>', 'fidelity from which on a copy counts as one; default 0.9', amount(0))
      .option('--answers <kind>', 'probabilities or labels; default: the one that allows less')
      .option('--apply', 'set it; without a caller for everybody'),
  ).action(async (model: string, options: SuggestOptions) => {
    const { suggestBudget } = await import('../actions/budgets.ts');
    process.exitCode = await suggestBudget(io, model, options);
  });

  withJson(withCaller(group.command('remove').description('take a limit away'))).action(
    async (options: CallerOptions) => {
      const { removeLimit } = await import('../actions/limits.ts');
      process.exitCode = await removeLimit(io, options);
    },
  );

  withJson(
    group
      .command('usage')
      .description('what callers asked of models, the busiest first')
      .option('--subject <name>', 'only of this caller')
      .option('--model <name>', 'only of this model')
      .option('--days <n>', 'days back, today included (default: 30)', wholeNumber(1)),
  ).action(async (options: UsageOptions) => {
    const { showUsage } = await import('../actions/limits.ts');
    process.exitCode = await showUsage(io, options);
  });
}

function withWho(command: Command): Command {
  return command
    .option('--key <id>', 'of this API key')
    .option('--subject <name>', 'of this caller')
    .option('--role <role>', 'of everybody with this role');
}

function withCaller(command: Command): Command {
  return withWho(command).option('--model <name>', 'for this model; default: for each');
}
