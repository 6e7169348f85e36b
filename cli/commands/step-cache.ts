import type { Command } from 'commander';
import type { ListStepsOptions } from '../actions/step-cache.ts';
import type { Io } from '../io.ts';
import type { OutputOptions } from '../render/output.ts';
import { withJson } from './options.ts';

export function registerStepCache(program: Command, io: Io): void {
  const group = program.command('cache').description('look at the results of stages that later runs reuse');

  withJson(
    group
      .command('list')
      .description('list kept results, last used first')
      .option('--stage <stage>', 'only of this stage, such as train'),
  ).action(async (options: ListStepsOptions) => {
    const { listSteps } = await import('../actions/step-cache.ts');
    process.exitCode = await listSteps(io, options);
  });

  withJson(
    group.command('collect').description('remove expired results, and artifacts that nothing else refers to'),
  ).action(async (options: OutputOptions) => {
    const { collectSteps } = await import('../actions/step-cache.ts');
    process.exitCode = await collectSteps(io, options);
  });
}
