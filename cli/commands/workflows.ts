import type { Command } from 'commander';
import type { CancelOptions, DecideOptions, ListOptions, RetryOptions } from '../actions/workflows.ts';
import type { Io } from '../io.ts';
import type { OutputOptions } from '../render/output.ts';
import { wholeNumber, withJson } from './options.ts';

export function registerWorkflows(program: Command, io: Io): void {
  const group = program.command('workflows').description('see and steer running and past workflows');

  withJson(
    group
      .command('list')
      .description('list workflows, newest first')
      .option('--type <type>', 'trainRegisterDeploy, searchHyperparameters, rolloutModel, attackRetest, …')
      .option('--status <status>', 'running, completed, failed, cancelled, …')
      .option('--model <name>', 'only those of one model')
      .option('--limit <n>', 'rows of a page', wholeNumber(1))
      .option('--page-token <token>', 'the page after the last one'),
  ).action(async (options: ListOptions) => {
    const { listWorkflows } = await import('../actions/workflows.ts');
    process.exitCode = await listWorkflows(io, options);
  });

  withJson(group.command('show').description('show stages, result and links of one workflow').argument('<id>')).action(
    async (id: string, options: OutputOptions) => {
      const { showWorkflow } = await import('../actions/workflows.ts');
      process.exitCode = await showWorkflow(io, id, options);
    },
  );

  withJson(
    group.command('follow').description('show a workflow until it ends; Ctrl-C detaches').argument('<id>'),
  ).action(async (id: string, options: OutputOptions) => {
    const { follow } = await import('../actions/workflows.ts');
    process.exitCode = await follow(io, id, options);
  });

  registerDecisions(group, io);

  withJson(
    group
      .command('cancel')
      .description('cancel a workflow; what it registered is withdrawn')
      .argument('<id>')
      .option('--reason <text>', 'kept in the history', 'requested'),
  ).action(async (id: string, options: CancelOptions) => {
    const { cancel } = await import('../actions/workflows.ts');
    process.exitCode = await cancel(io, id, options);
  });

  withJson(
    group
      .command('retry')
      .description('run a failed stage again, where the workflow waits for that (--wait-on-failure)')
      .argument('<id>')
      .option('--stage <name>', 'default: the stage that failed'),
  ).action(async (id: string, options: RetryOptions) => {
    const { retryStage } = await import('../actions/workflows.ts');
    process.exitCode = await retryStage(io, id, options);
  });
}

function registerDecisions(group: Command, io: Io): void {
  for (const decision of ['approve', 'reject'] as const) {
    withJson(
      group
        .command(decision)
        .description(`${decision} what a workflow waits for; the requester may not`)
        .argument('<id>')
        .option('--digest <sha256>', 'decide only about this subject; default: what is asked about now')
        .option('--comment <text>', 'kept with the decision'),
    ).action(async (id: string, options: DecideOptions) => {
      const { decide } = await import('../actions/workflows.ts');
      process.exitCode = await decide(io, id, decision, options);
    });
  }
}
