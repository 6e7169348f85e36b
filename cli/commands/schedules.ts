import type { Command } from 'commander';
import type { ChangeOptions, CreateOptions } from '../actions/schedules.ts';
import type { Io } from '../io.ts';
import type { OutputOptions } from '../render/output.ts';
import { withJson, withTrainRequest } from './options.ts';

const CHANGES = [
  ['trigger', 'start a run now'],
  ['pause', 'start no more runs'],
  ['unpause', 'start runs again'],
] as const;

export function registerSchedules(program: Command, io: Io): void {
  const group = program.command('schedule').description('train and attack by the clock');

  const create = group
    .command('create')
    .description('train or attack a model on a schedule; nightly at 03:00 UTC by default')
    .argument('<id>', 'name of the schedule')
    .argument('<model>', 'preset or JSON file, as for saip train; with --attack a name in the registry');
  withJson(
    withTrainRequest(create)
      .option('--attack', 'attack the model instead of training one; --seed and --set are those of the attack')
      .option('--cron <expression>', 'five fields, such as "0 3 * * *"')
      .option('--timezone <name>', 'IANA name, such as Europe/Berlin')
      .option('--overlap <policy>', 'while a run is still going: skip, buffer-one or cancel-other')
      .option('--paused', 'create it without starting runs')
      .option('--note <text>', 'shown with the schedule'),
  ).action(async (id: string, model: string, options: CreateOptions) => {
    const { createSchedule } = await import('../actions/schedules.ts');
    process.exitCode = await createSchedule(io, id, model, options);
  });

  withJson(group.command('list').description('list the schedules')).action(async (options: OutputOptions) => {
    const { listSchedules } = await import('../actions/schedules.ts');
    process.exitCode = await listSchedules(io, options);
  });

  withJson(group.command('show').description('show a schedule and its next runs').argument('<id>')).action(
    async (id: string, options: OutputOptions) => {
      const { showSchedule } = await import('../actions/schedules.ts');
      process.exitCode = await showSchedule(io, id, options);
    },
  );

  for (const [change, description] of CHANGES) {
    withJson(
      group
        .command(change)
        .description(description)
        .argument('<id>')
        .option('--note <text>', 'shown with the schedule'),
    ).action(async (id: string, options: ChangeOptions) => {
      const { changeSchedule } = await import('../actions/schedules.ts');
      process.exitCode = await changeSchedule(io, id, change, options);
    });
  }

  withJson(group.command('delete').description('delete a schedule; its past runs stay').argument('<id>')).action(
    async (id: string, options: OutputOptions) => {
      const { deleteSchedule } = await import('../actions/schedules.ts');
      process.exitCode = await deleteSchedule(io, id, options);
    },
  );
}
