import type { Command } from 'commander';
import type { PredictOptions } from '../actions/predict.ts';
import type { RollbackOptions } from '../actions/rollouts.ts';
import type { StartedOptions } from '../actions/started.ts';
import type { Io } from '../io.ts';
import { collect, wholeNumber, withJson } from './options.ts';

export function registerServing(program: Command, io: Io): void {
  withJson(
    program
      .command('predict')
      .description('ask a served model, by named features or by the Open Inference Protocol')
      .argument('<model>', 'its champion, or another alias as MODEL@ALIAS')
      .option('--record <json...>', 'values by the name of the feature, as JSON; for models of tables')
      .option('--file <csv>', 'records of a CSV file with a header line; for models of tables')
      .option('--stream', 'with --file: CSV or NDJSON of any length, one line of JSON a record')
      .option('--input <file>', 'an Open Inference request as JSON, "-" for stdin')
      .option('--mnist <index...>', 'images of the MNIST test set by their position', collect(wholeNumber(0))),
  ).action(async (model: string, options: PredictOptions) => {
    const { predict } = await import('../actions/predict.ts');
    process.exitCode = await predict(io, model, options);
  });

  withJson(
    program
      .command('rollout')
      .description('make a registered version the champion')
      .argument('<model>')
      .argument('<version>')
      .option('--follow', 'show the workflow until it ends; Ctrl-C detaches'),
  ).action(async (model: string, version: string, options: StartedOptions) => {
    const { rollout } = await import('../actions/rollouts.ts');
    process.exitCode = await rollout(io, model, version, options);
  });

  withJson(
    program
      .command('rollback')
      .description('bring a former champion back')
      .argument('<model>')
      .option('--to <version>', 'default: the champion before the present one')
      .option('--reason <text>', 'kept in the alias history')
      .option('--follow', 'show the workflow until it ends; Ctrl-C detaches'),
  ).action(async (model: string, options: RollbackOptions) => {
    const { rollback } = await import('../actions/rollouts.ts');
    process.exitCode = await rollback(io, model, options);
  });
}
