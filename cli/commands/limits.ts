import type { Command } from 'commander';
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
      .option('--rate <n>', 'requests a second, for each API process; 0: no limit', amount(0))
      .option('--burst <n>', 'requests that may come at once', wholeNumber(1))
      .option('--daily-rows <n>', 'rows in a day (UTC), over all processes; 0: no limit', wholeNumber(0))
      .option('--budget-rows <n>', 'rows in 30 days from which on the caller is flagged; 0: never', wholeNumber(0)),
  ).action(async (options: SetLimitOptions) => {
    const { setLimit } = await import('../actions/limits.ts');
    process.exitCode = await setLimit(io, options);
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

function withCaller(command: Command): Command {
  return command
    .option('--key <id>', 'of this API key')
    .option('--subject <name>', 'of this caller')
    .option('--role <role>', 'of everybody with this role')
    .option('--model <name>', 'for this model; default: for each');
}
